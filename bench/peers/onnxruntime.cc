// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// ONNX Runtime: the scoring graph of onnx_model.h in float32 and dynamically quantized, through the
// C interface of the shared library that the npm package onnxruntime-node carries.
#include <dlfcn.h>
#include <onnxruntime_c_api.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "bench/peers/onnx_model.h"
#include "bench/peers/peers.h"

namespace stint::bench {
namespace {

const OrtApiBase* ApiBase() {
  static const OrtApiBase* const base = [] {
    void* library = dlopen(STINT_ONNXRUNTIME_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) throw std::runtime_error(dlerror());
    using GetBase = const OrtApiBase* (*)();
    return reinterpret_cast<GetBase>(dlsym(library, "OrtGetApiBase"))();
  }();
  return base;
}

const OrtApi& Api() {
  static const OrtApi* const api = ApiBase()->GetApi(ORT_API_VERSION);
  if (api == nullptr) throw std::runtime_error("ONNX Runtime is older than its header");
  return *api;
}

void Check(OrtStatus* status) {
  if (status == nullptr) return;
  const std::string message = Api().GetErrorMessage(status);
  Api().ReleaseStatus(status);
  throw std::runtime_error("ONNX Runtime: " + message);
}

// Lives as long as the program: a session's environment must outlive it.
OrtEnv* Environment() {
  static OrtEnv* const environment = [] {
    OrtEnv* made = nullptr;
    Check(Api().CreateEnv(ORT_LOGGING_LEVEL_ERROR, "serve_bench", &made));
    return made;
  }();
  return environment;
}

using SessionPointer = std::shared_ptr<OrtSession>;
using ValuePointer = std::unique_ptr<OrtValue, void (*)(OrtValue*)>;

SessionPointer MakeSession(const std::string& model) {
  OrtSessionOptions* options = nullptr;
  Check(Api().CreateSessionOptions(&options));
  Check(Api().SetIntraOpNumThreads(options, 1));
  Check(Api().SetInterOpNumThreads(options, 1));
  Check(Api().SetSessionGraphOptimizationLevel(options, ORT_ENABLE_ALL));
  OrtSession* session = nullptr;
  OrtStatus* status =
      Api().CreateSessionFromArray(Environment(), model.data(), model.size(), options, &session);
  Api().ReleaseSessionOptions(options);
  Check(status);
  return {session, [](OrtSession* s) { Api().ReleaseSession(s); }};
}

// A tensor in the caller's memory, [rows, columns] or [columns].
ValuePointer Tensor(void* data, size_t bytes, const std::vector<int64_t>& shape,
                    ONNXTensorElementDataType type) {
  OrtMemoryInfo* memory = nullptr;
  Check(Api().CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &memory));
  OrtValue* value = nullptr;
  OrtStatus* status = Api().CreateTensorWithDataAsOrtValue(memory, data, bytes, shape.data(),
                                                           shape.size(), type, &value);
  Api().ReleaseMemoryInfo(memory);
  Check(status);
  return {value, [](OrtValue* v) { Api().ReleaseValue(v); }};
}

struct Scratch {
  SessionPointer session;
  std::vector<float> hidden;   // [units]
  std::vector<int64_t> items;  // [k]
  int64_t k;
  ValuePointer hidden_value, k_value, items_value;

  Scratch(SessionPointer of, size_t units, uint32_t count)
      : session(std::move(of)),
        hidden(units),
        items(count),
        k(count),
        hidden_value(Tensor(hidden.data(), units * sizeof(float), {1, static_cast<int64_t>(units)},
                            ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT)),
        k_value(Tensor(&k, sizeof(k), {1}, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64)),
        items_value(Tensor(items.data(), count * sizeof(int64_t), {1, k},
                           ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64)) {}

  void Run() {
    const char* const inputs[] = {"hidden", "k"};
    const char* const outputs[] = {"items"};
    const OrtValue* const given[] = {hidden_value.get(), k_value.get()};
    OrtValue* filled[] = {items_value.get()};
    Check(Api().Run(session.get(), nullptr, inputs, given, 2, outputs, 1, filled));
  }
};

Engine MakeEngine(const Source& source, bool int8) {
  const Parameters& parameters = source.work->parameters;
  const SessionPointer session = MakeSession(OnnxModel(parameters, int8));
  const size_t units = parameters.width(), items = parameters.items.rows;
  Engine engine;
  engine.bytes = static_cast<double>(int8 ? items * (units + 2 * sizeof(float))
                                          : items * (units + 1) * sizeof(float));
  engine.call = [source, session, units](uint32_t k) {
    auto scratch = std::make_shared<Scratch>(session, units, k);
    return MakePeerCaller(source, k, [=](const float* hidden, std::vector<uint32_t>* items) {
      std::copy_n(hidden, units, scratch->hidden.data());
      scratch->Run();
      items->assign(scratch->items.begin(), scratch->items.end());
    });
  };
  return engine;
}

}  // namespace

std::vector<EngineKind> OnnxRuntimePeers() {
  const std::string note = std::string("ONNX Runtime ") + ApiBase()->GetVersionString();
  return {{"onnxruntime_f32", note + ", MatMul, Add, TopK",
           [](const Source& source) { return MakeEngine(source, false); }},
          {"onnxruntime_int8", note + ", dynamic quantization, TopK",
           [](const Source& source) { return MakeEngine(source, true); }}};
}

}  // namespace stint::bench
