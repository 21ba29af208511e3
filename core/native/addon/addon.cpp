#include "session.h"

#if defined(__GLIBC__)
#include <malloc.h>
#endif

// Why the loaded model cannot be read in groups, as the end of a sentence; undefined when it can.
static Napi::Value refusal(const Napi::CallbackInfo & info) {
    const auto * model = llama_retain_find_model(info[0].As<Napi::String>().Utf8Value().c_str());
    const char * reason = model ? llama_retain_refusal(model) : "it is not loaded in this process";
    return reason ? Napi::String::New(info.Env(), reason) : info.Env().Undefined();
}

// Why its layers cannot go on with some of the tokens only, as the end of a sentence; undefined when they can.
static Napi::Value passRefusal(const Napi::CallbackInfo & info) {
    const auto * model = llama_retain_find_model(info[0].As<Napi::String>().Utf8Value().c_str());
    const char * reason = model ? llama_retain_pass_refusal(model) : "it is not loaded in this process";
    return reason ? Napi::String::New(info.Env(), reason) : info.Env().Undefined();
}

// Whether the loaded model continues a text at all.
static Napi::Value canWrite(const Napi::CallbackInfo & info) {
    const auto * model = llama_retain_find_model(info[0].As<Napi::String>().Utf8Value().c_str());
    return Napi::Boolean::New(info.Env(), model && llama_retain_can_write(model));
}

// Which layers of the loaded model see a sliding window only: their indices.
static Napi::Value slidingLayers(const Napi::CallbackInfo & info) {
    const auto * model = llama_retain_find_model(info[0].As<Napi::String>().Utf8Value().c_str());
    auto list = Napi::Array::New(info.Env());
    for (uint32_t il = 0; model && il < uint32_t(llama_model_n_layer(model)); ++il) {
        if (llama_retain_is_sliding(model, il)) {
            list.Set(list.Length(), il);
        }
    }
    return list;
}

static Napi::Object init(Napi::Env env, Napi::Object exports) {
#if defined(__GLIBC__)
    // glibc raises this by itself up to 32 MiB, and then keeps freed layers, whose places fit no layer that has grown;
    // buffers are to go back when they are freed
    mallopt(M_MMAP_THRESHOLD, 256 << 10);
#endif
    exports.Set("Session", Session::define(env));
    exports.Set("refusal", Napi::Function::New(env, refusal, "refusal"));
    exports.Set("passRefusal", Napi::Function::New(env, passRefusal, "passRefusal"));
    exports.Set("canWrite", Napi::Function::New(env, canWrite, "canWrite"));
    exports.Set("slidingLayers", Napi::Function::New(env, slidingLayers, "slidingLayers"));
    exports.Set("abi", Napi::Number::New(env, llama_retain_abi()));
    exports.Set("builtFor", Napi::Number::New(env, LLAMA_RETAIN_ABI));
    return exports;
}

NODE_API_MODULE(precis, init)
