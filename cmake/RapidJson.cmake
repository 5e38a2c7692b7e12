# RapidJSON 1.1.0 as Debian ships it does not compile with clang 19 (an assignment operator that assigns a const
# member), trips UBSAN (pointer overflow in its stack) and misreads numbers, as later versions do not: zeros with a large
# exponent, digits that round up to 2^64, and what is too small or too large for a double (it read beyond its table of
# powers). All are mended in a copy inside the build tree; a mend that no longer finds its place stops the
# configuration, so that an update of the package is noticed.
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
  mend_rapidjson(internal/strtod.h "decimals[i] > '5'))" "decimals[i] >= '5'))")
  mend_rapidjson(internal/strtod.h
    "if (int(length) + exp < -324)"
    "if (static_cast<int>(decimalPosition) + exp > 309)
        return __builtin_huge_val();
    if (static_cast<int>(decimalPosition) + exp <= -324)")
  mend_rapidjson(internal/diyfp.h
    "const uint64_t be = (e =="
    "if (e < kDpDenormalExponent) return 0.0;
        if (e >= kDpMaxExponent) { u.u64 = kDpExponentMask; return u.d; }
        const uint64_t be = (e ==")
  mend_rapidjson(reader.h
    "cont = handler.Double(minus ? -d : d);"
    "if (!(d <= (std::numeric_limits<double>::max)())) RAPIDJSON_PARSE_ERROR(kParseErrorNumberTooBig, startOffset);
               cont = handler.Double(minus ? -d : d);")
  file(WRITE ${RAPIDJSON_MENDED}/mended-${mends} "")
endif()

add_library(rapidjson INTERFACE)
target_include_directories(rapidjson SYSTEM BEFORE INTERFACE ${RAPIDJSON_MENDED})
target_compile_definitions(rapidjson INTERFACE RAPIDJSON_HAS_STDSTRING=1)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")  # every one of them has SSE2
  target_compile_definitions(rapidjson INTERFACE RAPIDJSON_SSE2=1)
endif()
