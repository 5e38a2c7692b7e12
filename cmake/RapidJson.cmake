# RapidJSON 1.1.0 as Debian ships it does not compile with clang 19 (an assignment operator that assigns a const
# member) and trips UBSAN (pointer overflow in its stack). Both are mended in a copy inside the build tree; a mend that
# no longer finds its place stops the configuration, so that an update of the package is noticed.
find_path(RAPIDJSON_SOURCE rapidjson/document.h REQUIRED)
set(RAPIDJSON_MENDED ${CMAKE_BINARY_DIR}/rapidjson)

function(mend_rapidjson file old new)
  set(path ${RAPIDJSON_MENDED}/rapidjson/${file})
  file(READ ${path} text)
  string(FIND "${text}" "${old}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "rapidjson/${file} is not the version that this project mends: '${old}' is missing")
  endif()
  string(REPLACE "${old}" "${new}" text "${text}")
  file(WRITE ${path} "${text}")
endfunction()

if(NOT EXISTS ${RAPIDJSON_MENDED}/done)
  file(COPY ${RAPIDJSON_SOURCE}/rapidjson DESTINATION ${RAPIDJSON_MENDED})
  mend_rapidjson(document.h
    "GenericStringRef& operator=(const GenericStringRef& rhs) { s = rhs.s; length = rhs.length; }"
    "GenericStringRef& operator=(const GenericStringRef& rhs) = delete;")
  mend_rapidjson(internal/stack.h
    "if (RAPIDJSON_UNLIKELY(stackTop_ + sizeof(T) * count > stackEnd_))"
    "if (RAPIDJSON_UNLIKELY(static_cast<std::ptrdiff_t>(sizeof(T) * count) > stackEnd_ - stackTop_))")
  file(WRITE ${RAPIDJSON_MENDED}/done "")
endif()

add_library(rapidjson INTERFACE)
target_include_directories(rapidjson SYSTEM BEFORE INTERFACE ${RAPIDJSON_MENDED})
target_compile_definitions(rapidjson INTERFACE RAPIDJSON_HAS_STDSTRING=1)
