# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0

# Released schemas, the present one -> can what reads the one read files of the other?
#
#   cmake -D FLATC=flatc -D SCHEMA_DIR=schema -D WORK_DIR=... -P conform_test.cmake
#
# Two checks: `flatc --conform`, and that each table and enumeration of the released schema is, word
# for word, how that of the present one begins. The second is there for what flatc 2.0 passes: the
# last field removed, a field or a value renamed or removed, force_align, required, deprecated,
# identifier, root type and namespace changed. Then both are shown to refuse what they should.
cmake_minimum_required(VERSION 3.25)

function(broken text)
  message(SEND_ERROR "conform: ${text}")
endfunction()

# statements(<variable> <schema>): its text in one line, without comments and needless blanks; '|'
# for ';', which would end the items of a list.
function(statements variable schema)
  file(READ ${schema} text)
  string(REGEX REPLACE "//[^\n]*" "" text "${text}")
  string(REPLACE ";" "|" text "${text}")
  string(REPLACE "[" "<" text "${text}")  # brackets join the items of a list
  string(REPLACE "]" ">" text "${text}")
  string(REGEX REPLACE "[ \t\r\n]+" " " text "${text}")
  string(REGEX REPLACE " ?([{}(),:=|<>]) ?" "\\1" text "${text}")
  set(${variable} "${text}" PARENT_SCOPE)
endfunction()

# begins_with(<variable> <released> <present>): "" if all of the first schema is in the second,
# which may say more at the end of a block and have more blocks; else what is not.
function(begins_with variable released present)
  statements(then ${released})
  statements(now ${present})
  set(blocks "(table|struct|enum|union) [^{]*{[^}]*}")
  string(REGEX REPLACE "${blocks}" "" then_rest "${then}")
  string(REGEX REPLACE "${blocks}" "" now_rest "${now}")
  set(result "")
  if(NOT then_rest STREQUAL now_rest)
    set(result "'${then_rest}' became '${now_rest}'")
  endif()
  string(REGEX MATCHALL "${blocks}" then_blocks "${then}")
  list(LENGTH then_blocks count)
  if(count LESS 10)
    set(result "only ${count} tables and enumerations were found in ${released}")
  endif()
  foreach(block ${then_blocks})
    string(REGEX REPLACE "}$" "" block "${block}")
    string(FIND "|${now}" "${block}" at)
    string(LENGTH "${block}" length)
    math(EXPR end "${at} - 1 + ${length}")
    set(next "")
    if(at GREATER 0)
      string(SUBSTRING "${now}" ${end} 1 next)
    endif()
    # A table's fields end with '|'; a value of an enumeration with ',' or the block.
    if(at LESS 1 OR (NOT block MATCHES "\\|$" AND NOT next MATCHES "[,}]"))
      set(result "no block begins with '${block}'")
      break()
    endif()
  endforeach()
  set(${variable} "${result}" PARENT_SCOPE)
endfunction()

# verdicts(<released> <present>): sets flatc and words, each "" or why it refuses.
function(verdicts released present)
  execute_process(COMMAND ${FLATC} --conform ${released} ${present}
                  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  set(flatc "")
  if(NOT status EQUAL 0)
    string(STRIP "flatc says ${status}: ${output}" flatc)
  endif()
  begins_with(words ${released} ${present})
  set(flatc "${flatc}" PARENT_SCOPE)
  set(words "${words}" PARENT_SCOPE)
endfunction()

set(present ${SCHEMA_DIR}/model.fbs)
file(GLOB released ${SCHEMA_DIR}/released/*.fbs)
if(NOT released)
  broken("no released schemas in ${SCHEMA_DIR}/released")
endif()
foreach(schema ${released})
  verdicts(${schema} ${present})
  if(NOT "${flatc}${words}" STREQUAL "")
    broken("${present} is no evolution of ${schema}: ${flatc} ${words}")
  endif()
endforeach()

# changed(<name> <who> <text> <by what>): a copy of a released schema with a text replaced must be
# refused by `who`: "both", "words" alone, or "none".
set(base ${SCHEMA_DIR}/released/model_v3.fbs)
function(changed name who text by)
  file(READ ${base} schema)
  string(REPLACE "${text}" "${by}" copy "${schema}")
  if(copy STREQUAL schema)
    broken("${name}: the schema has no '${text}'")
  endif()
  file(WRITE ${WORK_DIR}/${name}.fbs "${copy}")
  execute_process(COMMAND ${FLATC} --cpp -o ${WORK_DIR} ${WORK_DIR}/${name}.fbs
                  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    broken("${name}: no schema at all: ${output}")  # would be refused for the wrong reason
  endif()
  verdicts(${base} ${WORK_DIR}/${name}.fbs)
  if(who STREQUAL "both" AND "${flatc}" STREQUAL "")
    broken("${name}: flatc does not refuse it")
  elseif(who STREQUAL "none" AND NOT "${flatc}" STREQUAL "")
    broken("${name}: ${flatc}")
  endif()
  if(who STREQUAL "none" AND NOT "${words}" STREQUAL "")
    broken("${name}: ${words}")
  elseif(NOT who STREQUAL "none" AND "${words}" STREQUAL "")
    broken("${name}: the comparison of words does not refuse it")
  endif()
  math(EXPR tried "${tried} + 1")
  set(tried ${tried} PARENT_SCOPE)
endfunction()

set(tried 0)
changed(field_at_the_end none "  cascade: Cascade;" "  cascade: Cascade;\n  more: uint;\n//")
changed(value_at_the_end none "F32Rows = 3 }" "F32Rows = 3, Half = 4 }")
changed(new_table none "table SelfTest {" "table More { of: Section; }\ntable SelfTest {")
changed(comment none "// [1 to 16], first to last" "// [1 to 16]; {any}")

changed(removed both "  gru_form: GruForm;" "//")
changed(inserted both "  dtype: DType;" "  more: uint;\n  dtype: DType;")
changed(reordered both "  skew: float;\n  rho_unit: float;" "  rho_unit: float;\n  skew: float;")
changed(type both "  items: uint;" "  items: int;")
changed(wider both "  items: uint;" "  items: ulong;")
changed(element both "top_scores: [float]" "top_scores: [uint]")
changed(default both "hidden_scale: float = 1.0" "hidden_scale: float = 2.0")
changed(default_value both "hidden_activation: Activation = Tanh"
        "hidden_activation: Activation = Relu")
changed(values_swapped both "Int8 = 0, F32 = 1" "F32 = 0, Int8 = 1")
changed(enum_width both "enum DType : ubyte" "enum DType : ushort")
changed(table_renamed both "SelfTest" "Proof")

changed(last_removed words "  cascade: Cascade;" "//")
changed(renamed words "  items: uint;" "  item_count: uint;")
changed(value_renamed words "F32Rows = 3" "FloatRows = 3")
changed(value_removed words ", F32Rows = 3" "")
changed(value_number words "F32Rows = 3" "F32Rows = 33")
changed(alignment words "force_align: 64" "force_align: 16")
changed(no_more_required words "counts: Section (required)" "counts: Section")
changed(now_required words "input_rows: Section;" "input_rows: Section (required);")
changed(deprecated words "item_biases: Section;" "item_biases: Section (deprecated);")
changed(identifier words "\"STNT\"" "\"STNX\"")
changed(root words "root_type Model" "root_type Cascade")
changed(namespace words "namespace stint.schema" "namespace stint.other")
list(LENGTH released count)
message(STATUS "conforms to ${count} released schemas; ${tried} changed copies judged right")
