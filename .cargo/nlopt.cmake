# Read by CMake before NLopt's own CMakeLists.txt: an entry in the cache wins over its default.
# The methods by Luksan are NLopt's only LGPL code; without them it is MIT and BSD.
set(NLOPT_LUKSAN OFF CACHE BOOL "LGPL-licensed methods" FORCE)
set(NLOPT_TESTS OFF CACHE BOOL "" FORCE)

# NLopt's project() asks for a C++ compiler, though its C++ parts are off. Do without where there is none.
if(CMAKE_HOST_UNIX)
  find_program(MIXEDMODELS_CXX NAMES c++ g++ clang++)
  if(NOT MIXEDMODELS_CXX AND NOT DEFINED ENV{CXX})
    find_program(MIXEDMODELS_CC NAMES cc gcc clang)
    set(CMAKE_CXX_COMPILER "${MIXEDMODELS_CC}" CACHE FILEPATH "" FORCE)
    set(CMAKE_CXX_COMPILER_FORCED TRUE)
  endif()
endif()
