# RapidJSON 1.1.0 as Debian ships it does not compile with clang 19 (an assignment operator that assigns a const
# member) and trips UBSAN (pointer overflow in its stack; a zero with an exponent beyond 10^22 is scaled by the position
# of its highest bit, which it does not have). All are mended in a copy inside the build tree; a mend that no longer
# finds its place stops the configuration, so that an update of the package is noticed.
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

file(SHA256 ${CMAKE_CURRENT_LIST_FILE} mends)
if(NOT EXISTS ${RAPIDJSON_MENDED}/mended-${mends})
  file(REMOVE_RECURSE ${RAPIDJSON_MENDED})
  file(COPY ${RAPIDJSON_SOURCE}/rapidjson DESTINATION ${RAPIDJSON_MENDED})
  mend_rapidjson(document.h
    "GenericStringRef& operator=(const GenericStringRef& rhs) { s = rhs.s; length = rhs.length; }"
    "GenericStringRef& operator=(const GenericStringRef& rhs) = delete;")
  mend_rapidjson(internal/stack.h
    "if (RAPIDJSON_UNLIKELY(stackTop_ + sizeof(T) * count > stackEnd_))"
    "if (RAPIDJSON_UNLIKELY(static_cast<std::ptrdiff_t>(sizeof(T) * count) > stackEnd_ - stackTop_))")
  mend_rapidjson(internal/strtod.h
    "// Trim right-most digits"
    "if (*decimals == '0') return 0.0;  // nothing but zeros

    // Trim right-most digits")
  file(WRITE ${RAPIDJSON_MENDED}/mended-${mends} "")
endif()

add_library(rapidjson INTERFACE)
target_include_directories(rapidjson SYSTEM BEFORE INTERFACE ${RAPIDJSON_MENDED})
target_compile_definitions(rapidjson INTERFACE RAPIDJSON_HAS_STDSTRING=1)
