# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0

# Toolchain file: builds for 64-bit Arm on another Debian machine, with its g++-aarch64-linux-gnu
# and its arm64 packages (./dev cross installs them), and runs the result under qemu-aarch64.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64)
# Debian keeps the libraries of all architectures in one root, in folders of their own.
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
