# The order of the daemon's machine code. A call runs through some 500 KB of code that the linker scatters over 14 MB, most
# of it from archives that are compiled elsewhere, and waits for it: BOLT (LLVM's optimizer of linked programs) puts what
# runs often together, by cmake/layout.tar.xz, the record of how often each block ran. A call costs a fifth to a quarter
# less CPU then (both in one run of the benchmark). Code that is not as it was when it was recorded keeps the compiler's
# order; so the record is made anew (`tools/layout record`) before a release.
#   apply    by the record that is kept here; the linker's order where BOLT is not installed
#   record   a daemon that counts what runs, for tools/layout
#   off      the linker's order
set(MG_LAYOUT apply CACHE STRING "Order of the daemon's code: apply, record or off")
find_program(MG_BOLT llvm-bolt-19)
if(NOT MG_LAYOUT STREQUAL "off" AND (NOT MG_BOLT OR NOT CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64"))
  message(STATUS "No llvm-bolt-19 for ${CMAKE_SYSTEM_PROCESSOR}: a call will cost a quarter more")
  set(MG_LAYOUT off)
endif()

# lay_out(TARGET): does so to the program when it has been linked.
function(lay_out target)
  if(MG_LAYOUT STREQUAL "off")
    return()
  endif()
  set(tool ${CMAKE_SOURCE_DIR}/tools/layout)
  target_link_options(${target} PRIVATE -Wl,--emit-relocs)
  if(MG_LAYOUT STREQUAL "record")
    add_custom_command(TARGET ${target} POST_BUILD COMMAND ${tool} instrument $<TARGET_FILE:${target}> VERBATIM)
    return()
  endif()
  set(record ${CMAKE_SOURCE_DIR}/cmake/layout.tar.xz)
  set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${record})
  file(ARCHIVE_EXTRACT INPUT ${record} DESTINATION ${CMAKE_BINARY_DIR})
  set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS ${record} ${tool})
  add_custom_command(TARGET ${target} POST_BUILD VERBATIM
    COMMAND ${tool} apply $<TARGET_FILE:${target}> ${CMAKE_BINARY_DIR}/layout.yaml)
endfunction()
