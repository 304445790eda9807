# lib/ganc beside bin/: what trainers are linked from (compiler/link/trainer_libraries.h), so that the user's machine needs
# no compiler and no linker. Included before the runtime's folder; what concerns the runtime is deferred to the end.
set(GANC_LIBRARY_FOLDER ${CMAKE_BINARY_DIR}/lib/ganc)

function(ganc_collect name)
  set(candidates ${ARGN})
  foreach(candidate ${candidates})
    execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=${candidate}
                    OUTPUT_VARIABLE path OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(IS_ABSOLUTE "${path}" AND EXISTS "${path}")
      file(REAL_PATH "${path}" path)
      configure_file("${path}" ${GANC_LIBRARY_FOLDER}/${name} COPYONLY)
      return()
    endif()
  endforeach()
  message(FATAL_ERROR "The compiler has no ${candidates}, which every trainer is linked from. On Debian: ./gan setup")
endfunction()

foreach(file crt1.o crti.o crtbeginT.o crtend.o crtn.o libpng16.a libjpeg.a libz.a libstdc++.a libgcc.a libgcc_eh.a
             libmvec.a libc.a)
  ganc_collect(${file} ${file})
endforeach()

# libm.a is a linker script that names libm-<glibc's version>.a by an absolute path.
execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=libm.a
                OUTPUT_VARIABLE libm OUTPUT_STRIP_TRAILING_WHITESPACE)
file(STRINGS ${libm} script REGEX "GROUP" LIMIT_COUNT 1 LIMIT_INPUT 4096)
if(script MATCHES "(libm-[0-9.]+\\.a)")
  ganc_collect(libm-static.a ${CMAKE_MATCH_1})
else()
  ganc_collect(libm-static.a libm.a)
endif()

# Targets of the runtime's folder, read after this file.
function(ganc_stage_runtime)
  set(runtime ganc_runtime)
  if(TARGET ganc_runtime_plain)
    set(runtime ganc_runtime_plain)
  endif()
  add_custom_command(OUTPUT ${GANC_LIBRARY_FOLDER}/libganc_runtime.a
                     COMMAND ${CMAKE_COMMAND} -E copy $<TARGET_FILE:${runtime}> ${GANC_LIBRARY_FOLDER}/libganc_runtime.a
                     DEPENDS ${runtime})
  add_custom_target(ganc_trainer_libraries ALL DEPENDS ${GANC_LIBRARY_FOLDER}/libganc_runtime.a)
  foreach(target ganc test_driver)
    if(TARGET ${target})
      add_dependencies(${target} ganc_trainer_libraries)
    endif()
  endforeach()
endfunction()
cmake_language(DEFER DIRECTORY ${CMAKE_SOURCE_DIR} CALL ganc_stage_runtime)
