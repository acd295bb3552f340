# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0

# Shared library -> is it small enough, and does it load where pages have 16 KiB?
#
#   cmake -D SHARED=libstint.so -D READELF=readelf [-D STRIP=strip -D WORK_FILE=... -D LIMIT=bytes]
#         -P size_test.cmake
cmake_minimum_required(VERSION 3.25)

execute_process(COMMAND ${READELF} -lW ${SHARED} OUTPUT_VARIABLE output
                COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "\n +LOAD [^\n]*" segments "${output}")
if(NOT segments)
  message(SEND_ERROR "size: no LOAD segment in ${SHARED}")
endif()
foreach(segment ${segments})
  if(NOT segment MATCHES " 0x([0-9a-f]+)$")
    message(SEND_ERROR "size: a segment without an alignment: ${segment}")
    continue()
  endif()
  math(EXPR odd "0x${CMAKE_MATCH_1} % 16384")
  if(NOT odd EQUAL 0)
    message(SEND_ERROR "size: a segment is aligned to less than 16 KiB: ${segment}")
  endif()
endforeach()

if(LIMIT)
  execute_process(COMMAND ${STRIP} -o ${WORK_FILE} ${SHARED} COMMAND_ERROR_IS_FATAL ANY)
  file(SIZE ${WORK_FILE} size)
  if(size GREATER LIMIT)
    message(SEND_ERROR "size: ${size} bytes stripped, more than ${LIMIT}")
  endif()
  message(STATUS "${size} bytes stripped")
endif()
