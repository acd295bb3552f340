# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0

# The runtime in the three ways in which others get it: does a program outside of stint build with
# it, and does it recommend what the command line does?
#
#   cmake -D WAY=model|static|shared|subproject -D SOURCE_DIR=... -D BINARY_DIR=... -D WORK_DIR=...
#         -D CLI=... -D LIBDIR=... -D C_COMPILER=... -D CXX_COMPILER=... -D HIGHWAY=...
#         [-D PKG_CONFIG=...] -P install_test.cmake
#
# `model` makes the model that the other ways read; `static` takes the build that is being
# tested; `shared` and `subproject` build the runtime again, alone and for one SIMD target.
cmake_minimum_required(VERSION 3.25)

function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE result OUTPUT_VARIABLE output
                  ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    string(REPLACE ";" " " command "${ARGV}")
    message(FATAL_ERROR "${command}\nexits with ${result}:\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

set(model ${WORK_DIR}/model.stint)
if(WAY STREQUAL "model")
  file(REMOVE_RECURSE ${WORK_DIR})
  file(MAKE_DIRECTORY ${WORK_DIR})
  run(${CLI} synth --sessions 400 --items 60 --seed 3 --out ${WORK_DIR}/log.tsv)
  run(${CLI} train ${WORK_DIR}/log.tsv --out ${model} --layers 16 --epochs 1 --negatives 32
      --quiet --no-progress)
  return()
endif()

# A session of three items of the log, and what the command line recommends in it.
file(STRINGS ${WORK_DIR}/log.tsv lines LIMIT_COUNT 4)
list(POP_FRONT lines header)
string(REPLACE "\t" ";" names "${header}")
list(FIND names ItemId column)
set(items)
foreach(line ${lines})
  string(REPLACE "\t" ";" fields "${line}")
  list(GET fields ${column} item)
  list(APPEND items ${item})
endforeach()
list(JOIN items "," session)
execute_process(COMMAND ${CLI} recommend ${model} --session ${session} -k 10
                OUTPUT_VARIABLE expected COMMAND_ERROR_IS_FATAL ANY)

# ranks(<variable> <text>): rank and id of each line; scores are written with other digits.
function(ranks variable text)
  string(REGEX MATCHALL "(^|\n)[0-9]+\t[-0-9]+\t" found "${text}")
  string(REPLACE "\n" "" found "${found}")
  list(LENGTH found length)
  if(NOT length EQUAL 10)
    message(FATAL_ERROR "not ten recommendations:\n${text}")
  endif()
  set(${variable} "${found}" PARENT_SCOPE)
endfunction()
ranks(expected "${expected}")

function(check program)
  run(${program} ${model} ${items})
  ranks(got "${output}")
  if(NOT got STREQUAL expected)
    message(FATAL_ERROR "${program} recommends\n${got}\nthe command line\n${expected}")
  endif()
endfunction()

set(way ${WORK_DIR}/${WAY})
file(REMOVE_RECURSE ${way})
file(MAKE_DIRECTORY ${way})
set(compilers -G Ninja -D CMAKE_BUILD_TYPE=Release -D CMAKE_C_COMPILER=${C_COMPILER}
              -D CMAKE_CXX_COMPILER=${CXX_COMPILER})
set(one_target -D CMAKE_CXX_FLAGS=-DHWY_COMPILE_ONLY_STATIC)
set(highway -D STINT_HIGHWAY=${HIGHWAY} -D STINT_HIGHWAY_SOURCE_DIR=${HIGHWAY_SOURCE_DIR})

if(WAY STREQUAL "subproject")
  run(${CMAKE_COMMAND} -S ${SOURCE_DIR}/tests/install_project -B ${way}/user ${compilers}
      ${one_target} ${highway} -D STINT_FROM=subproject -D STINT_SOURCE=${SOURCE_DIR})
  run(${CMAKE_COMMAND} --build ${way}/user)
  check(${way}/user/user_c)
  check(${way}/user/user_cc)
  return()
endif()

set(build ${BINARY_DIR})
if(WAY STREQUAL "shared")
  set(build ${way}/build)
  run(${CMAKE_COMMAND} -S ${SOURCE_DIR} -B ${build} ${compilers} ${one_target} ${highway}
      -D BUILD_SHARED_LIBS=ON -D STINT_BUILD_TRAINER=OFF -D CMAKE_INSTALL_LIBDIR=${LIBDIR})
  run(${CMAKE_COMMAND} --build ${build})
endif()
# Installed to one place and moved to another: nothing in it may know where it was.
run(${CMAKE_COMMAND} --install ${build} --prefix ${way}/first --strip)
file(RENAME ${way}/first ${way}/prefix)

# The runtime, its headers and its packages; nothing of the trainer.
file(GLOB_RECURSE installed RELATIVE ${way}/prefix ${way}/prefix/*)
foreach(file ${installed})
  if(NOT file MATCHES "^${LIBDIR}/libstint\\.(a|so|so\\.[0-9.]+)$|^include/stint/stint\\.(h|hpp)$|^${LIBDIR}/cmake/stint/stint-[-a-z]+\\.cmake$|^${LIBDIR}/pkgconfig/stint\\.pc$")
    message(FATAL_ERROR "installed, and not of the runtime: ${file}")
  endif()
endforeach()
foreach(file include/stint/stint.h include/stint/stint.hpp)
  if(NOT file IN_LIST installed)
    message(FATAL_ERROR "not installed: ${file}")
  endif()
endforeach()

run(${CMAKE_COMMAND} -S ${SOURCE_DIR}/tests/install_project -B ${way}/user ${compilers}
    -D CMAKE_PREFIX_PATH=${way}/prefix)
run(${CMAKE_COMMAND} --build ${way}/user)
check(${way}/user/user_c)
check(${way}/user/user_cc)

if(PKG_CONFIG)
  set(ENV{PKG_CONFIG_PATH} ${way}/prefix/${LIBDIR}/pkgconfig)
  run(${PKG_CONFIG} --cflags --libs stint)
  string(STRIP "${output}" flags)
  separate_arguments(flags UNIX_COMMAND "${flags}")
  # The C compiler links: a user of the C API needs no C++ compiler.
  run(${C_COMPILER} -std=c99 ${SOURCE_DIR}/tests/install_project/user.c -o ${way}/user_pkg ${flags}
      -Wl,-rpath,${way}/prefix/${LIBDIR})
  check(${way}/user_pkg)
endif()
