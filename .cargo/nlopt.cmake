# Read by CMake before NLopt's own CMakeLists.txt: an entry in the cache wins over its default.
# The Luksan methods are NLopt's only LGPL code; without them it is MIT and BSD.
set(NLOPT_LUKSAN OFF CACHE BOOL "LGPL-licensed methods" FORCE)
set(NLOPT_TESTS OFF CACHE BOOL "" FORCE)
