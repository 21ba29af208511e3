#include "session.h"

static Napi::Object init(Napi::Env env, Napi::Object exports) {
    exports.Set("Session", Session::define(env));
    exports.Set("abi", Napi::Number::New(env, llama_retain_abi()));
    exports.Set("builtFor", Napi::Number::New(env, LLAMA_RETAIN_ABI));
    return exports;
}

NODE_API_MODULE(precis, init)
