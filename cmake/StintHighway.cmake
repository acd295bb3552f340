# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0

# Where Highway comes from, and for which SIMD targets units are compiled.
#
#   stint_highway          for the runtime and the tests of its kernels: every default target and
#                          Ice-Lake-class VNNI, but not Zen 4 and Sapphire Rapids, whose additions
#                          (bf16, fp16) it has no use for: they run the Ice Lake code. For the size
#                          of the library, 6 to 8 KB each, not SSSE3 and SSE4, which gain nothing over
#                          SSE2 (59.9 us and 59.8 for 10,000 x 100), nor AVX3 without VNNI (servers
#                          of 2017 to 2020: 23 us, AVX2 32). STINT_ALL_TARGETS has them all.
#   stint_highway_trainer  for the trainer: fewer targets, as each costs seconds a unit. What is
#                          left out falls back to the next lower one (Zen 4 and Sapphire
#                          Rapids to AVX3, which is what 32-bit floats need).
#   stint_highway_bf16     for products of bfloat16: the two targets that have them, and the lowest
#
# STINT_HIGHWAY chooses one of
#   system  an installed package, 1.2 or newer (Debian 13: libhwy-dev)
#   source  the sources in STINT_HIGHWAY_SOURCE_DIR, compiled in
#   fetch   the sources of release 1.2.0 from its home, pinned by commit, compiled in
set(STINT_HIGHWAY system CACHE STRING "Highway: system, source or fetch")
set_property(CACHE STINT_HIGHWAY PROPERTY STRINGS system source fetch)
set(STINT_HIGHWAY_SOURCE_DIR "" CACHE PATH "Folder that has hwy/highway.h, for STINT_HIGHWAY=source")

add_library(stint_highway_library INTERFACE)
if(STINT_HIGHWAY STREQUAL "system")
  find_package(hwy 1.2 CONFIG QUIET)
  if(NOT hwy_FOUND)
    message(FATAL_ERROR
      "stint: no Highway 1.2 or newer (Debian 12: ./dev setup; Debian 13: apt-get install "
      "libhwy-dev). Else set STINT_HIGHWAY=source with STINT_HIGHWAY_SOURCE_DIR, or "
      "STINT_HIGHWAY=fetch.")
  endif()
  set(STINT_HIGHWAY_OBJECTS)
  target_link_libraries(stint_highway_library INTERFACE hwy::hwy)
else()
  if(STINT_HIGHWAY STREQUAL "fetch")
    include(FetchContent)
    # The commit of release 1.2.0, as its source archive names it. SOURCE_SUBDIR names a folder
    # without a CMakeLists.txt: Highway's own build would add targets, tests and install rules.
    FetchContent_Declare(stint_highway_source
      GIT_REPOSITORY https://github.com/google/highway.git
      GIT_TAG 457c891775a7397bdb0376bb1031e6e027af1c48
      SOURCE_SUBDIR hwy)
    FetchContent_MakeAvailable(stint_highway_source)
    set(highway ${stint_highway_source_SOURCE_DIR})
  elseif(STINT_HIGHWAY STREQUAL "source")
    set(highway ${STINT_HIGHWAY_SOURCE_DIR})
  else()
    message(FATAL_ERROR "stint: STINT_HIGHWAY is '${STINT_HIGHWAY}', not system, source or fetch")
  endif()
  if(NOT EXISTS ${highway}/hwy/highway.h)
    message(FATAL_ERROR "stint: no hwy/highway.h in '${highway}'")
  endif()
  add_library(stint_highway_objects OBJECT
    ${highway}/hwy/targets.cc ${highway}/hwy/per_target.cc ${highway}/hwy/abort.cc
    ${highway}/hwy/aligned_allocator.cc ${highway}/hwy/print.cc)
  set_target_properties(stint_highway_objects PROPERTIES
    CXX_STANDARD 17 POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON)
  target_include_directories(stint_highway_objects SYSTEM PRIVATE ${highway})
  target_include_directories(stint_highway_library SYSTEM INTERFACE ${highway})
  set(STINT_HIGHWAY_OBJECTS $<TARGET_OBJECTS:stint_highway_objects>)
endif()

add_library(stint_highway INTERFACE)
target_link_libraries(stint_highway INTERFACE stint_highway_library)
if(STINT_PORTABLE)  # what the compiler's flags allow, no choice at run time
  target_compile_definitions(stint_highway INTERFACE HWY_COMPILE_ONLY_STATIC)
elseif(STINT_ALL_TARGETS)
  target_compile_definitions(stint_highway INTERFACE HWY_WANT_AVX3_DL)
else()
  target_compile_definitions(stint_highway INTERFACE
    HWY_WANT_AVX3_DL "HWY_DISABLED_TARGETS=(HWY_SSSE3|HWY_SSE4|HWY_AVX3|HWY_AVX3_ZEN4|HWY_AVX3_SPR)")
endif()

add_library(stint_highway_trainer INTERFACE)
target_link_libraries(stint_highway_trainer INTERFACE stint_highway_library)
if(STINT_FUZZ)  # feeds bytes to readers: one target of training is enough, and quickly built
  target_compile_definitions(stint_highway_trainer INTERFACE HWY_COMPILE_ONLY_STATIC)
endif()
# On Arm all are left out but the baseline, NEON without its cryptography: multiply-add is fused
# there, and 32-bit floats need no more.
target_compile_definitions(stint_highway_trainer INTERFACE
  "HWY_DISABLED_TARGETS=(HWY_SSSE3|HWY_SSE4|HWY_AVX3_DL|HWY_AVX3_ZEN4|HWY_AVX3_SPR|HWY_NEON|\
HWY_NEON_BF16|HWY_SVE|HWY_SVE2|HWY_SVE_256|HWY_SVE2_128)")

# The lowest must be there for dispatch; what it has is never called.
add_library(stint_highway_bf16 INTERFACE)
target_link_libraries(stint_highway_bf16 INTERFACE stint_highway_library)
target_compile_definitions(stint_highway_bf16 INTERFACE
  "HWY_DISABLED_TARGETS=(HWY_SSSE3|HWY_SSE4|HWY_AVX2|HWY_AVX3|HWY_AVX3_DL|HWY_NEON|HWY_NEON_BF16|\
HWY_SVE|HWY_SVE2|HWY_SVE_256|HWY_SVE2_128)")
