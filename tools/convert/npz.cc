// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// An npz file (a ZIP archive of numpy's npy files) -> tensors.
#include <zip.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "tools/convert/tensors.h"

namespace stint {
namespace {

// More than any model's weights in double precision; an archive may promise anything.
constexpr uint64_t kMostBytes = uint64_t{8} << 30;
// Deflate makes no more than 1,032 bytes of one.
constexpr uint64_t kMostExpansion = 1032;

[[noreturn]] void Fail(const std::string& path, const std::string& reason) {
  throw std::runtime_error(path + ": " + reason);
}

// A number of elements whose type numpy writes as `descr`, "<f4".
bool KindOf(std::string_view descr, ElementKind* kind) {
  constexpr std::pair<std::string_view, ElementKind> kDescriptions[] = {
      {"<f8", ElementKind::kF64}, {"<f4", ElementKind::kF32}, {"<f2", ElementKind::kF16},
      {"<i8", ElementKind::kI64}, {"<i4", ElementKind::kI32}, {"<i2", ElementKind::kI16},
      {"|i1", ElementKind::kI8},  {"<u8", ElementKind::kU64}, {"<u4", ElementKind::kU32},
      {"<u2", ElementKind::kU16}, {"|u1", ElementKind::kU8},  {"|b1", ElementKind::kBool},
  };
  for (const auto& [text, value] : kDescriptions) {
    if (text != descr) continue;
    *kind = value;
    return true;
  }
  return false;
}

struct Header {
  std::string descr;
  bool fortran_order = false;
  std::vector<uint64_t> shape;
};

// "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }": the one form of a Python
// dictionary that numpy writes, keys in any order.
class HeaderReader {
 public:
  HeaderReader(std::string_view text, const Tensors& file, const std::string& name)
      : rest_(text), file_(file), name_(name) {}

  Header Read() {
    Header header;
    unsigned seen = 0;
    Expect("{");
    while (!Take("}")) {
      const std::string key = Quoted();
      Expect(":");
      const unsigned bit = key == "descr" ? 1 : key == "fortran_order" ? 2 : key == "shape" ? 4 : 0;
      if (bit == 0 || (seen & bit) != 0) Bad("key '" + key + "'");
      seen |= bit;
      if (bit == 1) header.descr = Quoted();
      if (bit == 2) header.fortran_order = Truth();
      if (bit == 4) header.shape = Numbers();
      if (!Take(",")) {
        Expect("}");
        break;
      }
    }
    Skip();
    if (seen != 7 || !rest_.empty()) Bad("descr, fortran_order and shape, and no more, are wanted");
    return header;
  }

 private:
  [[noreturn]] void Bad(const std::string& reason) const {
    file_.Fail(name_, "npy header: " + reason);
  }
  void Skip() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\n')) rest_.remove_prefix(1);
  }
  bool Take(std::string_view text) {
    Skip();
    if (rest_.substr(0, text.size()) != text) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  void Expect(std::string_view text) {
    if (!Take(text)) Bad(std::string(text) + " is missing before " + Rest());
  }
  std::string Rest() const { return std::string(rest_.substr(0, 20)); }
  std::string Quoted() {
    if (Take("[")) Bad("elements of several fields");
    Expect("'");
    const size_t end = rest_.find('\'');
    if (end == std::string_view::npos) Bad("a quote is not closed");
    const std::string text(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return text;
  }
  bool Truth() {
    if (Take("True")) return true;
    Expect("False");
    return false;
  }
  std::vector<uint64_t> Numbers() {
    std::vector<uint64_t> numbers;
    Expect("(");
    while (!Take(")")) {
      Skip();
      uint64_t number = 0;
      size_t digits = 0;
      for (; digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9'; ++digits) {
        if (digits >= 18) Bad("a size of " + Rest());
        number = 10 * number + static_cast<uint64_t>(rest_[digits] - '0');
      }
      if (digits == 0) Bad("a size is missing before " + Rest());
      rest_.remove_prefix(digits);
      if (numbers.size() == 32) Bad("more than 32 sizes");  // numpy's own limit
      numbers.push_back(number);
      if (!Take(",")) {
        Expect(")");
        break;
      }
    }
    return numbers;
  }

  std::string_view rest_;
  const Tensors& file_;
  const std::string& name_;
};

// Column-major data -> row-major.
AlignedBytes FromFortranOrder(ElementKind kind, const std::vector<uint64_t>& shape,
                              std::span<const uint8_t> data) {
  const size_t width = ElementBytes(kind), axes = shape.size();
  AlignedBytes out(data.size());
  std::vector<uint64_t> index(axes, 0), stride(axes, width);
  for (size_t a = 1; a < axes; ++a) stride[a] = stride[a - 1] * shape[a - 1];
  for (uint64_t i = 0; i < data.size() / width; ++i) {
    const uint64_t from =
        std::inner_product(index.begin(), index.end(), stride.begin(), uint64_t{0});
    std::memcpy(out.data() + i * width, data.data() + from, width);
    for (size_t a = axes; a-- > 0 && ++index[a] == shape[a];) index[a] = 0;
  }
  return out;
}

struct Closer {
  void operator()(zip_t* archive) const { zip_discard(archive); }
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

// An archive in memory, as long as a tensor of it may be unpacked.
struct Archive {
  std::string path;
  AlignedBytes bytes;
  std::unique_ptr<zip_t, Closer> zip;
};

// An entry of an archive, read from its start.
class Entry {
 public:
  Entry(const Archive& archive, zip_uint64_t index, std::string name)
      : archive_(archive), name_(std::move(name)) {
    zip_stat_t stat;
    zip_stat_init(&stat);
    constexpr zip_uint64_t kWanted = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
    if (zip_stat_index(archive.zip.get(), index, 0, &stat) != 0 ||
        (stat.valid & kWanted) != kWanted) {
      Fail("no size in the archive");
    }
    if (stat.comp_method != ZIP_CM_STORE && stat.comp_method != ZIP_CM_DEFLATE) {
      Fail("compression method " + std::to_string(stat.comp_method) +
           ", not stored (0) or deflated (8)");
    }
    const uint64_t packed = std::min<uint64_t>(stat.comp_size, archive.bytes.size());
    if (stat.size > kMostBytes || stat.size > kMostExpansion * (packed + 1)) {
      Fail(std::to_string(stat.size) + " bytes promised by " + std::to_string(stat.comp_size) +
           " compressed ones");
    }
    size_ = stat.size;
    file_.reset(zip_fopen_index(archive.zip.get(), index, 0));
    if (!file_) Fail(zip_strerror(archive.zip.get()));
  }
  uint64_t size() const { return size_; }

  void Read(uint8_t* out, uint64_t size) {
    for (uint64_t got = 0; got < size;) {
      const uint64_t n = Some(out + got, size - got);
      if (n == 0) {
        Fail("ends after " + std::to_string(got) + " of " + std::to_string(size) + " bytes");
      }
      got += n;
    }
  }
  // Reading on to the end makes libzip compare the checksum.
  void End() {
    uint8_t beyond = 0;
    if (Some(&beyond, 1) != 0) Fail("is longer than the archive says");
  }

 private:
  [[noreturn]] void Fail(const std::string& reason) const {
    Tensors(archive_.path).Fail(name_, reason);
  }
  uint64_t Some(uint8_t* out, uint64_t size) {
    const zip_int64_t n = zip_fread(file_.get(), out, size);
    if (n < 0) Fail(zip_error_strerror(zip_file_get_error(file_.get())));
    return static_cast<uint64_t>(n);
  }

  const Archive& archive_;
  std::string name_;
  uint64_t size_ = 0;
  std::unique_ptr<zip_file_t, Closer> file_;
};

// The header of an npy file; its numbers are unpacked when they are asked for.
Tensor ParseNpy(const std::shared_ptr<const Archive>& archive, zip_uint64_t index,
                const std::string& name, const Tensors& file) {
  constexpr char kMagic[] = "\x93NUMPY";
  constexpr size_t kMagicBytes = 6, kShort = kMagicBytes + 4, kLong = kMagicBytes + 6;
  constexpr uint32_t kMostHeaderBytes = 1 << 16;
  Entry entry(*archive, index, name);
  uint8_t start[kLong] = {};
  if (entry.size() >= kShort) entry.Read(start, kShort);
  if (std::memcmp(start, kMagic, kMagicBytes) != 0) file.Fail(name, "is no npy file");
  const uint8_t version = start[kMagicBytes];
  if (version < 1 || version > 3) {
    file.Fail(name, "npy version " + std::to_string(version) + ", not 1 to 3");
  }
  uint32_t length = start[kMagicBytes + 2] | uint32_t{start[kMagicBytes + 3]} << 8;
  size_t begin = kShort;
  if (version > 1) {
    begin = kLong;
    if (entry.size() >= kLong) entry.Read(start + kShort, kLong - kShort);
    std::memcpy(&length, start + kMagicBytes + 2, sizeof(length));
  }
  if (entry.size() < begin || length > entry.size() - begin || length > kMostHeaderBytes) {
    file.Fail(name, "an npy header of " + std::to_string(length) + " bytes in a file of " +
                        std::to_string(entry.size()));
  }
  std::string text(length, '\0');
  entry.Read(reinterpret_cast<uint8_t*>(text.data()), length);
  const Header header = HeaderReader(text, file, name).Read();
  Tensor tensor;
  tensor.shape = header.shape;
  if (!KindOf(header.descr, &tensor.kind)) {
    file.Fail(name, "elements of kind '" + header.descr +
                        "': little-endian numbers are wanted ('<f4', '<f8', '<f2', '<i8', ...)");
  }
  begin += length;
  const uint64_t size = entry.size() - begin;
  if (!TensorBytes(tensor.kind, tensor.shape, size, &tensor.byte_count) ||
      tensor.byte_count != size) {
    file.Fail(name, "shape " + tensor.Shape() + " of '" + header.descr + "' is not the " +
                        std::to_string(size) + " bytes that are there");
  }
  tensor.unpack = [archive, index, name, begin, size, kind = tensor.kind, header] {
    Entry packed(*archive, index, name);
    std::vector<uint8_t> head(begin);
    packed.Read(head.data(), head.size());
    AlignedBytes bytes(size);
    packed.Read(bytes.data(), size);
    packed.End();
    if (!header.fortran_order) return bytes;
    return FromFortranOrder(kind, header.shape, {bytes.data(), size});
  };
  return tensor;
}

}  // namespace

Tensors ParseNpz(AlignedBytes input, const std::string& path) {
  const auto archive = std::make_shared<Archive>();
  archive->path = path;
  archive->bytes = std::move(input);
  if (archive->bytes.size() == 0) Fail(path, "no npz file: it is empty");  // libzip takes that
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* const source =
      zip_source_buffer_create(archive->bytes.data(), archive->bytes.size(), 0, &error);
  if (source == nullptr) throw std::bad_alloc();
  archive->zip.reset(zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error));
  if (!archive->zip) {
    const std::string reason = zip_error_strerror(&error);
    zip_source_free(source);
    zip_error_fini(&error);
    Fail(path, "no npz file: " + reason);
  }
  Tensors file(path);
  const zip_int64_t entries = zip_get_num_entries(archive->zip.get(), 0);
  for (zip_int64_t i = 0; i < entries; ++i) {
    const zip_uint64_t index = static_cast<zip_uint64_t>(i);
    const char* const entry = zip_get_name(archive->zip.get(), index, ZIP_FL_ENC_RAW);
    std::string name = entry == nullptr ? "" : entry;
    if (name.ends_with("/data.pkl")) {
      Fail(path,
           "a file of PyTorch, no npz: tools/python/export_state_dict.py makes of it what "
           "`stint convert` reads");
    }
    if (name.ends_with(".npy")) name.resize(name.size() - 4);
    if (file.tensors.count(name) != 0) file.Fail(name, "stands twice in the archive");
    file.tensors.emplace(name, ParseNpy(archive, index, name, file));
  }
  return file;
}

Tensors ReadNpz(const std::string& path) { return ParseNpz(ReadAligned(path), path); }

}  // namespace stint
