# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0

# Source tree and shared library -> do the folders depend on each other in the allowed direction
# only, and does nothing but stint_* leave the library?
#
#   cmake -D SOURCE_DIR=... [-D SHARED=libstint.so -D NM=nm -D READELF=readelf] -P layering_test.cmake
cmake_minimum_required(VERSION 3.25)

function(broken text)
  message(SEND_ERROR "layering: ${text}")
endfunction()

# sources(<variable> <folder>...): the C and C++ files of folders, relative to SOURCE_DIR.
function(sources variable)
  set(all)
  foreach(folder ${ARGN})
    file(GLOB_RECURSE found RELATIVE ${SOURCE_DIR}
         ${SOURCE_DIR}/${folder}/*.h ${SOURCE_DIR}/${folder}/*.hpp
         ${SOURCE_DIR}/${folder}/*.cc ${SOURCE_DIR}/${folder}/*.c)
    list(APPEND all ${found})
  endforeach()
  if(NOT all)
    broken("no sources in '${ARGN}' of ${SOURCE_DIR}")
  endif()
  set(${variable} ${all} PARENT_SCOPE)
endfunction()

# includes(<variable> <file>): what a file includes, without the brackets.
function(includes variable file)
  file(STRINGS ${SOURCE_DIR}/${file} lines REGEX "^[ \t]*#[ \t]*include[ \t]*[<\"]")
  set(result)
  foreach(line ${lines})
    string(REGEX REPLACE "^[ \t]*#[ \t]*include[ \t]*[<\"]([^>\"]*)[>\"].*" "\\1" name "${line}")
    list(APPEND result "${name}")
  endforeach()
  set(${variable} ${result} PARENT_SCOPE)
endfunction()

# never(<files> <regex> <why>): no file of the list includes a name that matches.
function(never files regex why)
  foreach(file ${files})
    includes(names ${file})
    foreach(name ${names})
      if(name MATCHES "${regex}")
        broken("${file} includes ${name}: ${why}")
      endif()
    endforeach()
  endforeach()
endfunction()

# never_text(<files> <regex> <why>): no line outside of // comments matches.
function(never_text files regex why)
  foreach(file ${files})
    file(STRINGS ${SOURCE_DIR}/${file} lines REGEX "${regex}")
    foreach(line ${lines})
      string(REGEX REPLACE "//.*" "" code "${line}")
      if(code MATCHES "${regex}" AND NOT code MATCHES "^[ \t]*(/\\*|\\*)")
        broken("${file} has '${line}': ${why}")
      endif()
    endforeach()
  endforeach()
endfunction()

sources(runtime runtime)
sources(trainer trainer)
sources(tools tools)
sources(all runtime trainer tools tests bench)
sources(public runtime/include)
set(outside ${all})
list(REMOVE_ITEM outside ${runtime})
set(with_tests ${all})
list(FILTER all EXCLUDE REGEX "^tests/install_project/")

# ---- Direction: tools -> trainer -> runtime -> schema; nothing -> tests, bench
never("${runtime}" "^(trainer|tools|tests|bench)/" "the runtime depends on the schema alone")
never("${trainer}" "^(tools|tests|bench)/" "the trainer depends on the runtime and the schema")
never("${tools}" "^(tests|bench)/" "nothing depends on tests and benchmarks")

# ---- The runtime is a guest in someone else's process
never("${runtime}" "^(omp\\.h|thread|mutex|future|condition_variable|iostream|ostream|istream|fstream|sstream|stdexcept|typeinfo)$"
      "no threads, no streams, no exceptions, no RTTI in the runtime")
never_text("${runtime}" "(^|[^_A-Za-z0-9])(throw|try|catch|dynamic_cast|typeid)([^_A-Za-z0-9]|$)"
           "no exceptions and no RTTI in the runtime")
never_text("${runtime}" "(^|[^_A-Za-z0-9])(abort|exit|_Exit|printf|fprintf|puts|fputs)[ \t]*\\("
           "the runtime neither ends the process nor prints")
never_text("${runtime}" "#[ \t]*pragma[ \t]+omp" "no OpenMP in the runtime")

# ---- The step path holds no container that grows
set(step_path)
foreach(file step.cc step.h topk.cc topk.h session.cc session.h)
  if(EXISTS ${SOURCE_DIR}/runtime/${file})
    list(APPEND step_path runtime/${file})
  endif()
endforeach()
foreach(file ${runtime})
  if(file MATCHES "-inl\\.h$")
    list(APPEND step_path ${file})
  endif()
endforeach()
never("${step_path}" "^(vector|string|map|unordered_map|set|unordered_set|deque|list|memory)$"
      "the step path allocates nothing")

# ---- Public headers
includes(names runtime/include/stint/stint.h)
foreach(name ${names})
  if(NOT name MATCHES "^(stddef|stdint)\\.h$")
    broken("stint.h includes ${name}: stddef.h and stdint.h only")
  endif()
endforeach()
never("${public}" "^(hwy|flatbuffers|runtime|schema)/" "users have none of these headers")

# ---- The schema has two readers, the runtime two doors
set(strangers ${all})
list(REMOVE_ITEM strangers runtime/model.cc trainer/export.cc)
list(FILTER strangers EXCLUDE REGEX "^tests/")  # hostile files are made with the schema
never("${strangers}" "model_generated\\.h$" "only runtime/model.cc and trainer/export.cc")
set(strangers ${outside})
# The runtime's own insides: tested there, measured there.
list(FILTER strangers EXCLUDE REGEX "^(tests/runtime/|bench/bounds_scan\\.cc$)")
never("${strangers}" "^runtime/(step|topk|session|model|mapped_file|status)\\.h$"
      "outside of runtime/ there are stint/ and the -inl.h kernels")
never("${outside}" "\\.cc$|\\.fbs$" "no source is included, but for Highway's own HWY_TARGET_INCLUDE")

# ---- Per-target units
foreach(file ${all})
  if(file STREQUAL "runtime/second_build.h")
    # Stands before all else in a unit and is for one target.
  elseif(file MATCHES "\\.(h|hpp)$")
    never("${file}" "^hwy/foreach_target\\.h$" "not in a header")
  else()
    # A kernel header before foreach_target.h would be compiled for one target alone.
    includes(names ${file})
    list(FIND names hwy/foreach_target.h foreach_target)
    set(at 0)
    foreach(name ${names})
      if(name MATCHES "-inl\\.h$" AND at LESS foreach_target)
        broken("${file} includes ${name} before hwy/foreach_target.h")
      endif()
      math(EXPR at "${at} + 1")
    endforeach()
  endif()
  # OpenMP's outlined bodies lose the target attribute.
  file(STRINGS ${SOURCE_DIR}/${file} lines
       REGEX "HWY_BEFORE_NAMESPACE\\(\\)|HWY_AFTER_NAMESPACE\\(\\)|#[ \t]*pragma[ \t]+omp")
  set(inside FALSE)
  foreach(line ${lines})
    if(line MATCHES "^[ \t]*//")
    elseif(line MATCHES "HWY_BEFORE_NAMESPACE")
      set(inside TRUE)
    elseif(line MATCHES "HWY_AFTER_NAMESPACE")
      set(inside FALSE)
    elseif(inside)
      broken("${file}: an OpenMP pragma inside of a per-target namespace")
    endif()
  endforeach()
endforeach()

# ---- Every file says what it is and under which license
foreach(file ${with_tests})
  file(STRINGS ${SOURCE_DIR}/${file} head LIMIT_COUNT 2)
  if(NOT head MATCHES "SPDX-License-Identifier: Apache-2\\.0")
    broken("${file} lacks the two SPDX lines")
  endif()
endforeach()

# ---- What leaves the shared library, and what it links
if(SHARED)
  execute_process(COMMAND ${NM} -D --defined-only ${SHARED}
                  OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
  string(REPLACE "\n" ";" lines "${output}")
  set(exported 0)
  foreach(line ${lines})
    if(line STREQUAL "")
    elseif(line MATCHES "^[0-9a-f]+ T stint_[a-z_]+$")
      math(EXPR exported "${exported} + 1")
    else()
      broken("the shared library exports '${line}'")
    endif()
  endforeach()
  # ... and each function of the header does leave it.
  file(READ ${SOURCE_DIR}/runtime/include/stint/stint.h header)
  string(REGEX MATCHALL "STINT_API [^;{]*[ *](stint_[a-z_]+)\\(" declarations "${header}")
  foreach(declaration ${declarations})
    string(REGEX REPLACE ".*[ *](stint_[a-z_]+)\\($" "\\1" name "${declaration}")
    if(NOT output MATCHES " T ${name}\n")
      broken("stint.h declares ${name}, the shared library does not export it")
    endif()
  endforeach()
  list(LENGTH declarations declared)
  if(declared LESS 15)
    broken("found only ${declared} declarations in stint.h: has its style changed?")
  endif()
  if(NOT exported EQUAL declared)
    broken("${exported} functions exported, ${declared} declared in stint.h")
  endif()

  execute_process(COMMAND ${READELF} -d ${SHARED} OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX REPLACE "[][]" "|" output "${output}")  # brackets would join the list's items
  string(REGEX MATCHALL "\\(NEEDED\\)[^\n]*" needed "${output}")
  set(links)
  foreach(line ${needed})
    string(REGEX REPLACE "^[^|]*\\|([^|]*)\\|.*" "\\1" name "${line}")
    list(APPEND links ${name})
    if(NOT name MATCHES "^(libc|libm|libstdc\\+\\+|libhwy|ld-linux[-a-z0-9_]*|libc\\+\\+|libc\\+\\+abi)\\.so")
      broken("the shared library links ${name}")
    endif()
  endforeach()
  if(NOT links)
    broken("found no libraries that the shared library links")
  endif()
  message(STATUS "${exported} functions leave the library; it links ${links}")
endif()
