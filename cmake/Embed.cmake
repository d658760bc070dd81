# xl_embed(TARGET FILE SYMBOL): puts FILE into TARGET as
#   extern const char SYMBOL[];       its bytes, and a NUL that is not counted
#   extern const size_t SYMBOL_size;
# FILE is relative to the top of the source tree. The C source is made again when FILE changes.
set(XL_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE})

function(xl_embed target file symbol)
  set(input ${PROJECT_SOURCE_DIR}/${file})
  set(output ${CMAKE_CURRENT_BINARY_DIR}/embedded/${symbol}.c)
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -D INPUT=${input} -D OUTPUT=${output} -D SYMBOL=${symbol}
            -P ${XL_EMBED_SCRIPT}
    DEPENDS ${input} ${XL_EMBED_SCRIPT}
    COMMENT "Embedding ${file}" VERBATIM)
  target_sources(${target} PRIVATE ${output})
endfunction()

# Run as a script: write the C source.
if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  file(READ ${INPUT} bytes HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
  string(REGEX REPLACE ",'.x0a'," ",'\\\\x0a',\n" bytes "${bytes}") # lines like the file's
  file(WRITE ${OUTPUT} "#include <stddef.h>\n"
    "extern const char ${SYMBOL}[];\nextern const size_t ${SYMBOL}_size;\n"
    "const char ${SYMBOL}[] = {\n${bytes}0};\nconst size_t ${SYMBOL}_size = sizeof ${SYMBOL} - 1;\n")
endif()
