/* Copyright 2026 The stint authors.
 * SPDX-License-Identifier: Apache-2.0 */

/* stint.h from C99, start to end; the model comes from c_api_model.cc. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stint/stint.h"

/* A model of 50 items with the ids 1000, 1010, ..., in memory that lives until the end. */
const void* test_model(size_t* size);

static int failures = 0;

#define CHECK(condition)                                                      \
  do {                                                                        \
    if (!(condition)) {                                                       \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      ++failures;                                                             \
    }                                                                         \
  } while (0)

int main(void) {
  size_t size = 0;
  const void* data = test_model(&size);
  stint_model* model = NULL;
  stint_session* session = NULL;
  stint_session* other = NULL;
  stint_error error;
  stint_model_info info;
  stint_recommendation top[8];
  stint_recommendation twice[16];
  stint_session* both[2];
  size_t counts[2];
  stint_recommendation again[8];
  stint_recommend_options options = {0};
  const uint32_t deny[2] = {3, 4};
  const uint32_t allow[4] = {4, 9, 12, 9};
  const uint64_t bits[1] = {(uint64_t)1 << 9 | (uint64_t)1 << 20};
  float all[50];
  float some[4];
  float probabilities[4];
  size_t count = 0;
  size_t i;
  int64_t id = 0;
  uint32_t item = 0;
  uint32_t higher = 0;
  uint32_t equal = 0;
  unsigned char state[1024];
  size_t state_size = 0;
  void* memory;
  void* aligned;

  CHECK(strlen(stint_version()) >= 5);
  CHECK(strlen(stint_target()) > 0);
  CHECK(stint_set_target(NULL) == STINT_OK);

  CHECK(stint_model_from_buffer(data, size - 1, &model, &error) != STINT_OK);
  CHECK(model == NULL && strlen(error.message) > 0);
  CHECK(stint_model_from_buffer(data, size, &model, &error) == STINT_OK);
  if (model == NULL) {
    fprintf(stderr, "%s\n", error.message);
    return EXIT_FAILURE;
  }
  CHECK(stint_model_describe(model, &info) == STINT_OK);
  CHECK(info.items == 50 && info.layers == 1 && info.units[0] == 6);
  CHECK(strcmp(info.dtype, "int8") == 0);
  CHECK(strcmp(info.embedding, "shared") == 0 && info.embedding_width == 6);
  CHECK(strcmp(info.hidden_activation, "tanh") == 0);
  CHECK(strcmp(info.layer_gru_forms[0], "reset_after") == 0);
  CHECK(stint_final_activation(model, 2.5f) == 2.5f);
  CHECK(stint_model_self_test(model, &error) == STINT_OK);
  CHECK(stint_item_id(model, 7, &id) == STINT_OK && id == 1070);
  CHECK(stint_item_from_id(model, 1070, &item) == STINT_OK && item == 7);

  CHECK(stint_session_create(model, 8, &session) == STINT_OK);
  CHECK(stint_observe_id(session, 1070) == STINT_OK);
  CHECK(stint_observe_id(session, 5) == STINT_UNKNOWN_ITEM);
  CHECK(stint_observe(session, 3) == STINT_OK);
  CHECK(stint_session_observed(session) == 2 && stint_session_unknown(session) == 1);
  CHECK(stint_recommend(session, 8, NULL, top, &count) == STINT_OK && count == 8);
  for (i = 1; i < count; ++i) CHECK(top[i - 1].score >= top[i].score);
  for (i = 0; i < count; ++i) CHECK(top[i].id == 1000 + 10 * (int64_t)top[i].item);
  CHECK(stint_rank(session, top[0].item, &higher, &equal) == STINT_OK && higher == 0);

  options.exclude_seen = 1;
  options.deny = deny;
  options.deny_count = 2;
  CHECK(stint_recommend(session, 8, &options, again, &count) == STINT_OK && count == 8);
  for (i = 0; i < count; ++i) {
    CHECK(again[i].item != 7 && again[i].item != 3 && again[i].item != 4);
  }

  options.allow = allow;
  options.allow_count = 4;
  CHECK(stint_recommend(session, 8, &options, again, &count) == STINT_OK && count == 2);
  CHECK((again[0].item == 9 && again[1].item == 12) || (again[0].item == 12 && again[1].item == 9));
  options.allow_bits = bits;
  CHECK(stint_recommend(session, 8, &options, again, &count) == STINT_OK && count == 1);
  CHECK(again[0].item == 9);
  CHECK(stint_scores(session, all) == STINT_OK);
  CHECK(stint_item_scores(session, allow, 4, some) == STINT_OK);
  CHECK(stint_item_probabilities(session, allow, 4, probabilities) == STINT_OK);
  for (i = 0; i < 4; ++i) {
    CHECK(some[i] == all[allow[i]] && probabilities[i] > 0 && probabilities[i] < 1);
  }
  CHECK(stint_top_probabilities(session, again, 1, some) == STINT_OK);
  CHECK(some[0] == probabilities[1] && some[0] == probabilities[3]);

  memory = malloc(stint_session_size(model, 8) + STINT_SESSION_ALIGNMENT);
  aligned = (char*)memory + STINT_SESSION_ALIGNMENT - (size_t)memory % STINT_SESSION_ALIGNMENT;
  CHECK(stint_session_init(model, 8, aligned, stint_session_size(model, 8), &other) == STINT_OK);
  CHECK(stint_observe(other, 7) == STINT_OK && stint_observe(other, 3) == STINT_OK);
  CHECK(stint_recommend(other, 8, NULL, again, &count) == STINT_OK && count == 8);
  for (i = 0; i < count; ++i) {
    CHECK(top[i].item == again[i].item && top[i].score == again[i].score);
  }

  /* Both at once. */
  both[0] = session;
  both[1] = other;
  CHECK(stint_recommend_batch(both, 2, 8, NULL, 0, NULL, NULL, twice, counts) == STINT_OK);
  CHECK(counts[0] == 8 && counts[1] == 8);
  for (i = 0; i < 16; ++i) {
    CHECK(twice[i].item == top[i % 8].item && twice[i].score == top[i % 8].score);
  }

  /* As after a restart: the session as bytes, and back. */
  CHECK(stint_session_state_size(session) == 64 + 4 * 6 + 8 * 2);
  CHECK(stint_session_export(session, state, sizeof(state), &state_size) == STINT_OK);
  CHECK(state_size == stint_session_state_size(session));
  CHECK(stint_session_reset(other) == STINT_OK);
  CHECK(stint_session_import(other, state, state_size - 1) == STINT_CORRUPT);
  CHECK(stint_session_observed(other) == 0);
  CHECK(stint_session_import(other, state, state_size) == STINT_OK);
  CHECK(stint_session_observed(other) == 2 && stint_session_unknown(other) == 1);
  CHECK(stint_recommend(other, 8, NULL, again, &count) == STINT_OK && count == 8);
  for (i = 0; i < count; ++i) {
    CHECK(top[i].item == again[i].item && top[i].score == again[i].score);
  }
  CHECK(stint_session_reset(other) == STINT_OK);
  CHECK(stint_session_copy(session, other) == STINT_OK);
  CHECK(stint_session_observed(other) == 2);
  CHECK(strlen(stint_status_message(STINT_OTHER_MODEL)) > 0);

  free(memory);
  stint_session_destroy(session);
  stint_model_destroy(model);
  if (failures == 0) printf("C API from C99: all is well\n");
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
