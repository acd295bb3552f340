# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0

# Toolchain file: builds for 32-bit Arm with NEON (ARMv7-A) on another Debian machine, with its
# g++-arm-linux-gnueabihf, and runs the result under qemu-arm. Needs Highway's sources
# (STINT_HIGHWAY=source); headers that are the same on all machines are named by ./dev cpus.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR armv7l)
set(CMAKE_C_COMPILER arm-linux-gnueabihf-gcc)
set(CMAKE_CXX_COMPILER arm-linux-gnueabihf-g++)
# -Wno-psabi: g++ tells of each std::vector that its passing changed with version 7.
set(CMAKE_C_FLAGS_INIT "-march=armv7-a -mfpu=neon-vfpv4")
set(CMAKE_CXX_FLAGS_INIT "-march=armv7-a -mfpu=neon-vfpv4 -Wno-psabi")
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-arm -L /usr/arm-linux-gnueabihf)
