// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/checkpoint.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <set>
#include <stdexcept>
#include <utility>

#include "schema/checksum.h"
#include "trainer/atomic_file.h"

namespace stint {
namespace {

using nlohmann::ordered_json;

constexpr char kMagic[8] = {'S', 'T', 'I', 'N', 'T', 'C', 'K', 'P'};
constexpr uint32_t kVersion = 1;
constexpr uint64_t kLargestHeader = uint64_t{1} << 28;

struct Prefix {
  char magic[8];
  uint32_t version;
  uint32_t zero;
  uint64_t header_bytes;
  uint64_t xxh3;  // of what is before it and of the header
};
static_assert(sizeof(Prefix) == 32);
static_assert(std::endian::native == std::endian::little, "checkpoints are little-endian");

uint64_t ChecksumOf(const Prefix& prefix, const std::string& header) {
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  XXH3_64bits_update(&state, &prefix, offsetof(Prefix, xxh3));
  XXH3_64bits_update(&state, header.data(), header.size());
  return XXH3_64bits_digest(&state);
}

uint64_t ChecksumOf(const void* data, size_t bytes) {
  return SectionChecksum(static_cast<const uint8_t*>(data), bytes);
}

}  // namespace

ordered_json BitsOf(double value) { return HexOf(std::bit_cast<uint64_t>(value)); }

double DoubleOf(const ordered_json& bits) {
  return std::bit_cast<double>(ParseHex(bits.get<std::string>()));
}

std::string HexOf(uint64_t value) {
  std::string text(16, '0');
  for (size_t i = 16; i-- > 0; value >>= 4) text[i] = "0123456789abcdef"[value & 15];
  return text;
}

uint64_t ParseHex(const std::string& text) {
  uint64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (text.size() != 16 || result.ec != std::errc() || result.ptr != text.data() + 16) {
    throw std::runtime_error("'" + text + "' is not 16 hexadecimal digits");
  }
  return value;
}

void WriteCheckpoint(const std::string& path, const CheckpointContent& content) {
  ordered_json header = content.header;
  ordered_json& list = header["arrays"] = ordered_json::array();
  for (const SavedArray& array : content.arrays) {
    list.push_back({{"name", array.name},
                    {"bytes", array.bytes},
                    {"xxh3", HexOf(ChecksumOf(array.data, array.bytes))}});
  }
  // Names of items may be no UTF-8; nothing that a resumed run needs is in such text.
  const std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  Prefix prefix = {};
  std::copy_n(kMagic, sizeof(kMagic), prefix.magic);
  prefix.version = kVersion;
  prefix.header_bytes = text.size();
  prefix.xxh3 = ChecksumOf(prefix, text);
  AtomicFile file(path);
  file.Write(&prefix, sizeof(prefix));
  file.Write(text.data(), text.size());
  for (const SavedArray& array : content.arrays) file.Write(array.data, array.bytes);
  file.Commit();
}

Checkpoint::Checkpoint(const std::string& path) : path_(path) {
  file_ = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file_ < 0) Fail(std::strerror(errno));
  try {
    struct stat status = {};
    if (fstat(file_, &status) != 0) Fail(std::strerror(errno));
    if (!S_ISREG(status.st_mode)) Fail("not a regular file");
    ReadHeader(static_cast<uint64_t>(status.st_size));
    for (const Array& array : arrays_) Verify(array);
  } catch (const nlohmann::json::exception& e) {
    close(file_);
    Fail(std::string("damaged checkpoint: header: ") + e.what());
  } catch (...) {
    close(file_);
    throw;
  }
}

Checkpoint::~Checkpoint() {
  if (file_ >= 0) close(file_);
}

Checkpoint::Checkpoint(Checkpoint&& other) noexcept
    : path_(std::move(other.path_)),
      file_(std::exchange(other.file_, -1)),
      header_(std::move(other.header_)),
      arrays_(std::move(other.arrays_)) {}

Checkpoint& Checkpoint::operator=(Checkpoint&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(file_, other.file_);
  std::swap(header_, other.header_);
  std::swap(arrays_, other.arrays_);
  return *this;
}

void Checkpoint::ReadHeader(uint64_t file_size) {
  Prefix prefix = {};
  if (file_size < sizeof(prefix)) {
    Fail("damaged checkpoint: " + std::to_string(file_size) + " bytes, the shortest has " +
         std::to_string(sizeof(prefix)));
  }
  ReadAt(0, &prefix, sizeof(prefix));
  if (std::memcmp(prefix.magic, kMagic, sizeof(kMagic)) != 0) Fail("not a checkpoint");
  if (prefix.version != kVersion) {
    Fail("checkpoint of format version " + std::to_string(prefix.version) +
         "; this stint reads version " + std::to_string(kVersion));
  }
  if (prefix.header_bytes > std::min(kLargestHeader, file_size - sizeof(prefix))) {
    Fail("damaged checkpoint: its header has " + std::to_string(prefix.header_bytes) +
         " bytes, the file " + std::to_string(file_size));
  }
  std::string text(prefix.header_bytes, '\0');
  ReadAt(sizeof(prefix), text.data(), text.size());
  if (ChecksumOf(prefix, text) != prefix.xxh3) Fail("damaged checkpoint: header: wrong checksum");
  header_ = ordered_json::parse(text);
  uint64_t offset = sizeof(prefix) + prefix.header_bytes;
  std::set<std::string> names;
  for (const ordered_json& entry : header_.at("arrays")) {
    Array array = {.name = entry.at("name").get<std::string>(),
                   .offset = offset,
                   .bytes = entry.at("bytes").get<uint64_t>(),
                   .xxh3 = HashOf(entry)};
    if (array.bytes > file_size - offset) {
      Fail("damaged checkpoint: cut off at " + std::to_string(file_size) + " bytes, in '" +
           array.name + "'");
    }
    if (!names.insert(array.name).second) Fail("damaged checkpoint: two of '" + array.name + "'");
    offset += array.bytes;
    arrays_.push_back(std::move(array));
  }
  if (offset != file_size) {
    Fail("damaged checkpoint: " + std::to_string(file_size) + " bytes where " +
         std::to_string(offset) + " are declared");
  }
}

uint64_t Checkpoint::HashOf(const ordered_json& entry) const try {
  return ParseHex(entry.at("xxh3").get<std::string>());
} catch (const std::runtime_error& e) {
  Fail(std::string("damaged checkpoint: header: ") + e.what());
}

void Checkpoint::ReadAt(uint64_t offset, void* data, size_t bytes) const {
  auto* at = static_cast<char*>(data);
  while (bytes > 0) {
    const ssize_t got =
        pread(file_, at, std::min<size_t>(bytes, 1 << 30), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) Fail(std::strerror(errno));
    if (got == 0) Fail("damaged checkpoint: cut off while it was read");
    at += got;
    offset += static_cast<uint64_t>(got);
    bytes -= static_cast<size_t>(got);
  }
}

// In parts, so that a file larger than memory is refused or accepted like any other.
void Checkpoint::Verify(const Array& array) const {
  std::vector<char> part(std::min<uint64_t>(array.bytes, 1 << 20));
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  for (uint64_t done = 0; done < array.bytes;) {
    const size_t n = std::min<uint64_t>(part.size(), array.bytes - done);
    ReadAt(array.offset + done, part.data(), n);
    XXH3_64bits_update(&state, part.data(), n);
    done += n;
  }
  if (XXH3_64bits_digest(&state) != array.xxh3) {
    Fail("damaged checkpoint: '" + array.name + "': wrong checksum");
  }
}

const Checkpoint::Array* Checkpoint::Find(const std::string& name) const {
  for (const Array& array : arrays_) {
    if (array.name == name) return &array;
  }
  return nullptr;
}

std::string Checkpoint::Fingerprint() const {
  const std::string text = header_.dump();
  return HexOf(ChecksumOf(text.data(), text.size()));
}

size_t Checkpoint::Bytes(const std::string& name) const {
  const Array* array = Find(name);
  return array == nullptr ? 0 : array->bytes;
}

void Checkpoint::Read(const std::string& name, void* data, size_t bytes) const {
  const Array* array = Find(name);
  if (array == nullptr) Fail("it has no '" + name + "'");
  if (array->bytes != bytes) {
    Fail("'" + name + "' has " + std::to_string(array->bytes) + " bytes, this run needs " +
         std::to_string(bytes));
  }
  ReadAt(array->offset, data, bytes);
  if (ChecksumOf(data, bytes) != array->xxh3) Fail("'" + name + "' changed while it was read");
}

void Checkpoint::Fail(const std::string& message) const {
  throw std::runtime_error(path_ + ": " + message);
}

}  // namespace stint
