# rapport_embed_migrations(TARGET NAMESPACE FUNCTION DIR COMPONENT [HEADER header])
#
# Makes the library TARGET, which defines `const sql::Component& NAMESPACE::FUNCTION()` from
# DIR/{sqlite,postgres}/NNNN_name.sql. The function is declared in HEADER, a path from the root of the
# tree; by default the migrations.h in DIR.
set(RAPPORT_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/embed_migrations_script.cmake
    CACHE INTERNAL "")

function(rapport_embed_migrations target namespace function dir component)
  cmake_parse_arguments(ARG "" "HEADER" "" ${ARGN})
  get_filename_component(dir ${dir} ABSOLUTE)
  if(NOT ARG_HEADER)
    file(RELATIVE_PATH ARG_HEADER ${PROJECT_SOURCE_DIR} ${dir}/migrations.h)
  endif()
  file(GLOB steps CONFIGURE_DEPENDS ${dir}/sqlite/*.sql ${dir}/postgres/*.sql)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${target}.cc)
  add_custom_command(
    OUTPUT ${source}
    COMMAND ${CMAKE_COMMAND} -D OUTPUT=${source} -D NAMESPACE=${namespace} -D FUNCTION=${function}
            -D DIR=${dir} -D COMPONENT=${component} -D HEADER=${ARG_HEADER}
            -P ${RAPPORT_EMBED_SCRIPT}
    DEPENDS ${steps} ${RAPPORT_EMBED_SCRIPT}
    COMMENT "migrations of ${component}"
    VERBATIM)
  rapport_library(${target} SRCS ${source}
    DEPS absl::function_ref absl::span absl::status absl::statusor absl::strings absl::time)
endfunction()
