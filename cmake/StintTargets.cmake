# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0

# What every target of stint has in common: language, warnings, floating-point rules.

# stint_target(<name> <C++ standard>): call it for each target that compiles something.
function(stint_target name standard)
  set_target_properties(${name} PROPERTIES
    C_STANDARD 99 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF
    CXX_STANDARD ${standard} CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF)
  if(MSVC)
    target_compile_options(${name} PRIVATE /W4 $<$<BOOL:${STINT_WERROR}>:/WX>)
  else()
    # -ffp-contract=off: the same bits on every target rest on it; compilers fuse
    # a * b + c into one rounding where the target has FMA unless told not to.
    target_compile_options(${name} PRIVATE -Wall -Wextra $<$<BOOL:${STINT_WERROR}>:-Werror>
                                           -ffp-contract=off)
  endif()
  if(STINT_FUZZ)  # which branches an input took
    target_compile_options(${name} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
  if(STINT_SANITIZE)
    target_compile_options(${name} PRIVATE -fsanitize=${STINT_SANITIZE} -fno-sanitize-recover=all
                                           -fno-omit-frame-pointer -g1)
    target_link_options(${name} PUBLIC -fsanitize=${STINT_SANITIZE})
    # g++'s sanitizers give this warning false positives, in its own <regex> for one.
    target_compile_options(${name} PRIVATE
      $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  endif()
endfunction()
