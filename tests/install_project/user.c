/* Copyright 2026 The stint authors.
 * SPDX-License-Identifier: Apache-2.0 */

/* user MODEL ITEM... -> the ten items that the model puts next, one line each: rank, id, score. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "stint/stint.h"

int main(int argc, char** argv) {
  stint_recommendation top[10];
  stint_model* model;
  stint_session* session;
  stint_error error;
  size_t count, i;
  int arg;
  if (argc < 2) return 2;
  if (stint_model_from_file(argv[1], &model, &error) != STINT_OK) {
    fprintf(stderr, "%s: %s\n", argv[1], error.message);
    return 3;
  }
  if (stint_session_create(model, 10, &session) != STINT_OK) return 1;
  for (arg = 2; arg < argc; ++arg) {
    if (stint_observe_id(session, strtoll(argv[arg], NULL, 10)) != STINT_OK) return 1;
  }
  if (stint_recommend(session, 10, NULL, top, &count) != STINT_OK) return 1;
  for (i = 0; i < count; ++i) {
    printf("%d\t%lld\t%.9g\n", (int)i + 1, (long long)top[i].id, (double)top[i].score);
  }
  stint_session_destroy(session);
  stint_model_destroy(model);
  return 0;
}
