// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Status code and details -> the caller's stint_error; status code -> an English sentence.
#include "runtime/status.h"

#include <cstdarg>

namespace stint {

Status Fail(stint_error* error, Status status, const char* format, ...) {
  if (error) {
    error->status = status;
    va_list arguments;
    va_start(arguments, format);
    FormatArguments(error->message, sizeof(error->message), format, arguments);
    va_end(arguments);
  }
  return status;
}

}  // namespace stint

extern "C" const char* stint_status_message(stint_status status) {
  switch (status) {
    case STINT_OK:
      return "all is well";
    case STINT_UNKNOWN_ITEM:
      return "the model does not know this item";
    case STINT_INVALID_ARGUMENT:
      return "an argument is null or out of range";
    case STINT_IO_ERROR:
      return "the file cannot be opened, read or mapped";
    case STINT_NOT_A_MODEL:
      return "this is no stint model, or it is cut short";
    case STINT_NEWER_VERSION:
      return "the model or session state has a newer format than this library knows";
    case STINT_CORRUPT:
      return "the model or session state is damaged";
    case STINT_MISALIGNED:
      return "the memory does not start at a multiple of 64 bytes";
    case STINT_UNSUPPORTED:
      return "this model, build or device cannot do that";
    case STINT_OUT_OF_MEMORY:
      return "no memory left";
    case STINT_SELF_TEST_FAILED:
      return "the model's own test sessions give another answer here";
    case STINT_OTHER_MODEL:
      return "the session state belongs to another model";
  }
  return "unknown status";
}
