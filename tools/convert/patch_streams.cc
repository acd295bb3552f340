// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "tools/convert/patch_streams.h"

#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <stdexcept>

namespace stint {
namespace {

constexpr int kLevel = 19;
constexpr int kQuickLevel = 1;
// What is as good as random after a quick try is not searched for more.
constexpr double kRandom = 0.98;
constexpr size_t kLong = size_t{1} << 20;
// Of streams that are read piece by piece, some twenty at a time: 128 KiB.
constexpr int kWindowLog = 17;
constexpr size_t kBuffer = size_t{1} << 14;
// A zstd block of 4 bytes or more makes 128 KiB at most.
constexpr uint64_t kMostExpansion = uint64_t{1} << 15;

struct FreeCompressor {
  void operator()(ZSTD_CCtx* c) const { ZSTD_freeCCtx(c); }
};
struct FreeDecompressor {
  void operator()(ZSTD_DCtx* d) const { ZSTD_freeDCtx(d); }
};

[[noreturn]] void Fail(const std::string& reason) { throw std::runtime_error(reason); }

size_t Must(size_t result) {
  if (ZSTD_isError(result)) throw std::runtime_error(ZSTD_getErrorName(result));
  return result;
}

std::vector<uint8_t> Compress(std::span<const uint8_t> bytes, std::span<const uint8_t> prefix,
                              int level) {
  const std::unique_ptr<ZSTD_CCtx, FreeCompressor> context(ZSTD_createCCtx());
  if (!context) throw std::bad_alloc();
  Must(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level));
  Must(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_contentSizeFlag, 0));
  int log = kWindowLog;
  if (!prefix.empty()) {
    while (log < 30 && (uint64_t{1} << log) < bytes.size() + prefix.size()) ++log;
    Must(ZSTD_CCtx_refPrefix(context.get(), prefix.data(), prefix.size()));
  }
  Must(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_windowLog, log));
  std::vector<uint8_t> out(ZSTD_compressBound(bytes.size()));
  out.resize(
      Must(ZSTD_compress2(context.get(), out.data(), out.size(), bytes.data(), bytes.size())));
  return out;
}

void CheckSize(uint64_t declared, uint64_t size) {
  if (declared == size) return;
  Fail("a stream of " + std::to_string(declared) + " bytes, not " + std::to_string(size));
}

void AppendWord(uint64_t word, std::vector<uint8_t>* patch) {
  if (word > UINT32_MAX) Fail("a stream of " + std::to_string(word) + " bytes, not below 2^32");
  for (int shift = 0; shift < 32; shift += 8) patch->push_back(static_cast<uint8_t>(word >> shift));
}

}  // namespace

void AppendStream(std::span<const uint8_t> bytes, std::span<const uint8_t> prefix,
                  std::vector<uint8_t>* patch) {
  std::vector<uint8_t> frame;
  if (!bytes.empty()) {
    bool random = false;
    if (bytes.size() >= kLong) {
      frame = Compress(bytes, prefix, kQuickLevel);
      random = static_cast<double>(frame.size()) > kRandom * static_cast<double>(bytes.size());
    }
    if (!random) frame = Compress(bytes, prefix, kLevel);
  }
  AppendWord(bytes.size(), patch);
  AppendWord(frame.size(), patch);
  patch->insert(patch->end(), frame.begin(), frame.end());
}

struct StreamReader::Decoder {
  std::unique_ptr<ZSTD_DCtx, FreeDecompressor> context;
  ZSTD_inBuffer in = {};
  bool ended = false;
};

StreamReader::StreamReader(std::span<const uint8_t> frame, uint64_t size)
    : decoder_(std::make_unique<Decoder>()), left_(size) {
  if (size == 0) {
    if (!frame.empty()) Fail("an empty stream with " + std::to_string(frame.size()) + " bytes");
    return;
  }
  decoder_->context.reset(ZSTD_createDCtx());
  if (!decoder_->context) throw std::bad_alloc();
  Must(ZSTD_DCtx_setParameter(decoder_->context.get(), ZSTD_d_windowLogMax, kWindowLog));
  decoder_->in = {frame.data(), frame.size(), 0};
  buffer_.resize(std::min<uint64_t>(kBuffer, size));
}

StreamReader::~StreamReader() = default;
StreamReader::StreamReader(StreamReader&&) noexcept = default;

void StreamReader::Fill() {
  begin_ = end_ = 0;
  while (end_ == 0) {
    ZSTD_inBuffer& in = decoder_->in;
    if (decoder_->ended) Fail("a stream ends early");
    ZSTD_outBuffer out = {buffer_.data(), buffer_.size(), 0};
    const size_t before = in.pos;
    decoder_->ended = Must(ZSTD_decompressStream(decoder_->context.get(), &out, &in)) == 0;
    end_ = out.pos;
    if (end_ == 0 && in.pos == before && !decoder_->ended) Fail("a stream ends early");
  }
}

void StreamReader::Read(void* bytes, size_t size) {
  if (size > left_) Fail("a stream ends early");
  left_ -= size;
  uint8_t* out = static_cast<uint8_t*>(bytes);
  while (size > 0) {
    if (begin_ == end_) Fill();
    const size_t n = std::min(size, end_ - begin_);
    std::memcpy(out, buffer_.data() + begin_, n);
    begin_ += n;
    out += n;
    size -= n;
  }
}

uint8_t StreamReader::Byte() {
  if (left_ > 0 && begin_ < end_) {
    --left_;
    return buffer_[begin_++];
  }
  return Number<uint8_t>();
}

void StreamReader::Finish() {
  if (left_ > 0) Fail("a stream has " + std::to_string(left_) + " bytes that nothing needs");
  if (!decoder_->context) return;
  bool more = begin_ < end_;
  // What is left of the frame has no bytes in it.
  while (!more && !decoder_->ended) {
    uint8_t byte;
    ZSTD_outBuffer out = {&byte, 1, 0};
    const size_t before = decoder_->in.pos;
    decoder_->ended =
        Must(ZSTD_decompressStream(decoder_->context.get(), &out, &decoder_->in)) == 0;
    more = out.pos > 0 || (!decoder_->ended && decoder_->in.pos == before);
  }
  if (more || decoder_->in.pos != decoder_->in.size) Fail("a stream is not of its size");
}

std::span<const uint8_t> StreamCursor::Next(uint64_t* size) {
  if (bytes_.size() < 8) Fail("a stream is missing");
  uint32_t words[2];
  std::memcpy(words, bytes_.data(), sizeof(words));
  bytes_ = bytes_.subspan(sizeof(words));
  if (words[1] > bytes_.size()) Fail("a stream of " + std::to_string(words[1]) + " bytes is cut");
  if (words[0] > kMostExpansion * words[1]) {
    Fail("a stream of " + std::to_string(words[0]) + " bytes in " + std::to_string(words[1]));
  }
  *size = words[0];
  const std::span<const uint8_t> frame = bytes_.first(words[1]);
  bytes_ = bytes_.subspan(words[1]);
  return frame;
}

StreamReader StreamCursor::Open(uint64_t most) {
  uint64_t size = 0;
  const std::span<const uint8_t> frame = Next(&size);
  if (size > most) {
    Fail("a stream of " + std::to_string(size) + " bytes, not up to " + std::to_string(most));
  }
  return StreamReader(frame, size);
}

StreamReader StreamCursor::OpenExactly(uint64_t size) {
  CheckSize(NextSize(), size);
  return Open(size);
}

uint64_t StreamCursor::NextSize() const {
  uint64_t size = 0;
  StreamCursor(*this).Next(&size);
  return size;
}

void StreamCursor::Read(std::span<const uint8_t> prefix, uint8_t* out, uint64_t size) {
  uint64_t declared = 0;
  const std::span<const uint8_t> frame = Next(&declared);
  CheckSize(declared, size);
  if (size == 0) {
    if (!frame.empty()) Fail("an empty stream with " + std::to_string(frame.size()) + " bytes");
    return;
  }
  const std::unique_ptr<ZSTD_DCtx, FreeDecompressor> context(ZSTD_createDCtx());
  if (!context) throw std::bad_alloc();
  Must(ZSTD_DCtx_refPrefix(context.get(), prefix.data(), prefix.size()));
  const size_t written =
      Must(ZSTD_decompressDCtx(context.get(), out, size, frame.data(), frame.size()));
  if (written != size) Fail("a stream is not of its size");
}

void StreamCursor::Finish() const {
  if (!bytes_.empty()) Fail(std::to_string(bytes_.size()) + " bytes behind the last stream");
}

}  // namespace stint
