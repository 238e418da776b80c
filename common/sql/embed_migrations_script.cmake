# Writes OUTPUT, a C++ file that holds the migrations in DIR. Versions must be dense from 1.
set(body "")
foreach(engine sqlite postgres)
  file(GLOB steps RELATIVE ${DIR}/${engine} ${DIR}/${engine}/*.sql)
  list(SORT steps)
  set(expected 0)
  string(APPEND body "          /*${engine}=*/{\n")
  foreach(step ${steps})
    math(EXPR expected "${expected} + 1")
    if(NOT step MATCHES "^([0-9][0-9][0-9][0-9])_([a-z0-9_]+)\\.sql$")
      message(FATAL_ERROR "${DIR}/${engine}/${step}: a migration is called NNNN_name.sql")
    endif()
    set(name ${CMAKE_MATCH_2})
    string(REGEX REPLACE "^0+" "" version ${CMAKE_MATCH_1})
    if(NOT version EQUAL expected)
      message(FATAL_ERROR "${DIR}/${engine}/${step}: version ${expected} is missing")
    endif()
    file(READ ${DIR}/${engine}/${step} sql)
    string(APPEND body "              {${version}, \"${name}\", R\"__sql__(${sql})__sql__\"},\n")
  endforeach()
  string(APPEND body "          },\n")
endforeach()

file(WRITE ${OUTPUT} "// Generated from the migrations of ${COMPONENT}.
#include \"${HEADER}\"

namespace ${NAMESPACE} {

const ::rapport::sql::Component& ${FUNCTION}() {
  static const auto& component = *new ::rapport::sql::Component{
          \"${COMPONENT}\",
${body}  };
  return component;
}

}  // namespace ${NAMESPACE}
")
