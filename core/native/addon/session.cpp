#include "session.h"

#include <map>
#include <string>

Napi::Function Session::define(Napi::Env env) {
    return DefineClass(env, "Session", {
        InstanceMethod<&Session::open>("open"),
        InstanceMethod<&Session::read>("read"),
        InstanceMethod<&Session::pass>("pass"),
        InstanceMethod<&Session::keep>("keep"),
        InstanceMethod<&Session::finish>("finish"),
        InstanceMethod<&Session::state>("state"),
        InstanceMethod<&Session::slidingCells>("slidingCells"),
        InstanceMethod<&Session::restore>("restore"),
        InstanceMethod<&Session::resume>("resume"),
        InstanceMethod<&Session::write>("write"),
        InstanceMethod<&Session::writeChecked>("writeChecked"),
        InstanceMethod<&Session::hasWhole>("hasWhole"),
        InstanceMethod<&Session::lookAhead>("lookAhead"),
        InstanceMethod<&Session::lookedAt>("lookedAt"),
        InstanceMethod<&Session::valueNorms>("valueNorms"),
        InstanceMethod<&Session::seal>("seal"),
        InstanceMethod<&Session::takeWhole>("takeWhole"),
        InstanceMethod<&Session::refill>("refill"),
        InstanceMethod<&Session::feed>("feed"),
        InstanceMethod<&Session::feedWhole>("feedWhole"),
        InstanceMethod<&Session::rewind>("rewind"),
        InstanceMethod<&Session::logits>("logits"),
        InstanceMethod<&Session::progress>("progress"),
        InstanceMethod<&Session::abort>("abort"),
        InstanceMethod<&Session::layerBytes>("layerBytes"),
        InstanceMethod<&Session::memoryBytes>("memoryBytes"),
        InstanceMethod<&Session::computeBytes>("computeBytes"),
        InstanceMethod<&Session::peakBytes>("peakBytes"),
        InstanceMethod<&Session::dispose>("dispose"),
    });
}

Session::Session(const Napi::CallbackInfo & info) : Napi::ObjectWrap<Session>(info) {}

Context & Session::opened(Napi::Env env) const {
    if (!context) {
        throw Napi::Error::New(env, "The session is not open.");
    }
    return *context;
}

Napi::Promise Session::start(Napi::Env env, Job::Work work, Job::Answer answer) {
    if (busy) {
        throw Napi::Error::New(env, "The session is at work.");
    }
    busy = true;
    return Job::start(env, Value(), std::move(work), std::move(answer), [this] { busy = false; });
}

template <typename F> Napi::Value Session::now(Napi::Env env, F answer) {
    auto & at = opened(env);
    try {
        return answer(at);
    } catch (const Failure & failure) {
        auto error = Napi::Error::New(env, failure.what());
        error.Set("code", Napi::String::New(env, failure.code));
        throw error;
    } catch (const std::bad_alloc &) {
        auto error = Napi::Error::New(env, "not enough memory");
        error.Set("code", Napi::String::New(env, "out-of-memory"));
        throw error;
    }
}

static std::vector<llama_token> tokenList(const Napi::Value & value) {
    const auto list = value.As<Napi::Uint32Array>();
    return std::vector<llama_token>(list.Data(), list.Data() + list.ElementLength());
}

static Reduction reductionOf(const Napi::Value & value) {
    const auto name = value.IsString() ? value.As<Napi::String>().Utf8Value() : "";
    return name == "mean" ? Reduction::mean : name == "max" ? Reduction::max : Reduction::none;
}

// a list of { layer, positions: a list for each KV head }
static std::shared_ptr<std::vector<Context::Keep>> retentionOf(const Napi::Value & value) {
    const auto list = value.As<Napi::Array>();
    auto plan = std::make_shared<std::vector<Context::Keep>>();
    for (uint32_t i = 0; i < list.Length(); ++i) {
        const auto item  = list.Get(i).As<Napi::Object>();
        const auto heads = item.Get("positions").As<Napi::Array>();
        Context::Keep keep = { item.Get("layer").As<Napi::Number>().Uint32Value(), {}, {} };
        for (uint32_t h = 0; h < heads.Length(); ++h) {
            const auto positions = heads.Get(h).As<Napi::Uint32Array>();
            keep.counts.push_back(positions.ElementLength());
            keep.positions.insert(keep.positions.end(), positions.Data(), positions.Data() + positions.ElementLength());
        }
        plan->push_back(std::move(keep));
    }
    return plan;
}

static Napi::Value undefined(Napi::Env env) {
    return env.Undefined();
}

static Napi::Float32Array floats(Napi::Env env, const std::vector<float> & values) {
    auto array = Napi::Float32Array::New(env, values.size());
    std::copy(values.begin(), values.end(), array.Data());
    return array;
}

Napi::Value Session::open(const Napi::CallbackInfo & info) {
    const auto path    = info[0].As<Napi::String>().Utf8Value();
    const auto tokens  = tokenList(info[1]);
    const auto window  = info[2].As<Napi::Number>().Uint32Value();
    const auto given   = info[3].As<Napi::Object>();
    const bool has_whole = given.Get("whole").IsObject();
    const auto whole_of  = [&](const char * field) {
        return has_whole ? given.Get("whole").As<Napi::Object>().Get(field).As<Napi::String>().Utf8Value() : "";
    };
    const auto whole_is = whole_of("is");
    const auto kv_type = given.Get("kvType").As<Napi::String>().Utf8Value();
    const Context::Options options = {
        given.Get("batch").As<Napi::Number>().Uint32Value(),
        given.Get("threads").As<Napi::Number>().Uint32Value(),
        given.Get("room").As<Napi::Number>().Uint32Value(),
        kv_type == "q8_0" ? GGML_TYPE_Q8_0 : kv_type == "q4_0" ? GGML_TYPE_Q4_0 : GGML_TYPE_F16,
        given.Get("hiddenType").As<Napi::String>().Utf8Value() == "f16",
        given.Get("observedLayers").As<Napi::Number>().Uint32Value(),
        given.Get("grouped").As<Napi::Boolean>().Value(),
        whole_of("path"),
        whole_is == "named" ? Context::Options::named : whole_is == "existing" ? Context::Options::existing : Context::Options::nameless,
    };
    context.reset();
    return start(info.Env(), [=] { context = std::make_unique<Context>(path, tokens, window, options); }, undefined);
}

Napi::Value Session::read(const Napi::CallbackInfo & info) {
    auto & at = opened(info.Env());
    const auto begin = info[0].As<Napi::Number>().Uint32Value();
    const auto end   = info[1].As<Napi::Number>().Uint32Value();
    const auto needs = info[3].As<Napi::Array>();
    const bool plain = info[4].As<Napi::Boolean>().Value();
    Context::Wanted wanted = { reductionOf(info[2]) };
    const std::map<std::string, bool *> flags = {
        { "variances", &wanted.variances }, { "entropy", &wanted.entropy }, { "valueNorms", &wanted.value_norms },
        { "keys", &wanted.keys }, { "expectedLogits", &wanted.expected_logits },
    };
    for (uint32_t i = 0; i < needs.Length(); ++i) {
        *flags.at(needs.Get(i).As<Napi::String>().Utf8Value()) = true;
    }
    auto observed = std::make_shared<std::vector<Context::Observed>>();
    return start(info.Env(), [=, &at] { *observed = at.read(begin, end, wanted, plain); }, [=](Napi::Env env) -> Napi::Value {
        auto list = Napi::Array::New(env, observed->size());
        for (size_t i = 0; i < observed->size(); ++i) {
            auto & layer = (*observed)[i];
            auto item = Napi::Object::New(env);
            // one after the other, so that no two layers' keys exist twice
            const auto hand_over = [&](bool asked, const char * field, std::vector<float> & values) {
                if (asked) {
                    item.Set(field, floats(env, values));
                    values = {};
                }
            };
            hand_over(true,                   "scores",         layer.scores);
            hand_over(wanted.variances,       "variances",      layer.variances);
            hand_over(wanted.value_norms,     "valueNorms",     layer.value_norms);
            hand_over(wanted.keys,            "keys",           layer.keys);
            hand_over(wanted.expected_logits, "expectedLogits", layer.expected_logits);
            if (wanted.entropy) {
                item.Set("entropy", layer.entropy);
            }
            list[uint32_t(i)] = item;
        }
        return list;
    });
}

Napi::Value Session::pass(const Napi::CallbackInfo & info) {
    auto & at = opened(info.Env());
    const auto list = info[0].As<Napi::Uint32Array>();
    const std::vector<uint32_t> positions(list.Data(), list.Data() + list.ElementLength());
    return start(info.Env(), [=, &at] { at.pass(positions); }, undefined);
}

Napi::Value Session::keep(const Napi::CallbackInfo & info) {
    auto & at = opened(info.Env());
    const auto plan = retentionOf(info[0]);
    return start(info.Env(), [=, &at] { at.keep(*plan); }, undefined);
}

Napi::Value Session::refill(const Napi::CallbackInfo & info) {
    auto & at = opened(info.Env());
    const auto plan = retentionOf(info[0]);
    return start(info.Env(), [=, &at] { at.refill(*plan); }, undefined);
}

Napi::Value Session::finish(const Napi::CallbackInfo & info) {
    auto & at = opened(info.Env());
    return start(info.Env(), [&at] { at.finish(); }, undefined);
}

Napi::Value Session::state(const Napi::CallbackInfo & info) {
    const auto env = info.Env();
    return now(env, [&](Context & at) -> Napi::Value {
        const auto state = at.state(info[0].As<Napi::Number>().Uint32Value());
        auto kept = Napi::Uint32Array::New(env, state.kept.size());
        std::copy(state.kept.begin(), state.kept.end(), kept.Data());
        auto positions = Napi::Uint32Array::New(env, state.positions.size());
        std::copy(state.positions.begin(), state.positions.end(), positions.Data());
        auto rows = Napi::Uint8Array::New(env, state.rows.size());
        std::copy(state.rows.begin(), state.rows.end(), rows.Data());
        auto result = Napi::Object::New(env);
        result.Set("kept", kept);
        result.Set("positions", positions);
        result.Set("rows", rows);
        return result;
    });
}

Napi::Value Session::slidingCells(const Napi::CallbackInfo & info) {
    return now(info.Env(), [&](Context & at) -> Napi::Value {
        const auto cells = at.sliding_cells();
        auto array = Napi::Int32Array::New(info.Env(), cells.size());
        std::copy(cells.begin(), cells.end(), array.Data());
        return array;
    });
}

Napi::Value Session::restore(const Napi::CallbackInfo & info) {
    return now(info.Env(), [&](Context & at) -> Napi::Value {
        const auto given     = info[1].As<Napi::Object>();
        const auto kept      = given.Get("kept").As<Napi::Uint32Array>();
        const auto positions = given.Get("positions").As<Napi::Uint32Array>();
        const auto rows      = given.Get("rows").As<Napi::Uint8Array>();
        at.restore(info[0].As<Napi::Number>().Uint32Value(), {
                std::vector<uint32_t>(kept.Data(), kept.Data() + kept.ElementLength()),
                std::vector<uint32_t>(positions.Data(), positions.Data() + positions.ElementLength()),
                std::vector<uint8_t>(rows.Data(), rows.Data() + rows.ElementLength()),
            }, info[2].As<Napi::Number>().Uint32Value(), info[3].As<Napi::Boolean>().Value());
        return info.Env().Undefined();
    });
}

Napi::Value Session::resume(const Napi::CallbackInfo & info) {
    auto & at = opened(info.Env());
    const auto cells = info[0].As<Napi::Int32Array>();
    const std::vector<int32_t> sliding(cells.Data(), cells.Data() + cells.ElementLength());
    std::vector<float> logits;
    if (info[1].IsTypedArray()) {
        const auto list = info[1].As<Napi::Float32Array>();
        logits.assign(list.Data(), list.Data() + list.ElementLength());
    }
    return start(info.Env(), [=, &at] { at.resume(sliding, logits); }, undefined);
}

static Sampling samplingOf(const Napi::Object & options) {
    const auto number = [&](const char * name) { return options.Get(name).As<Napi::Number>(); };
    return {
        number("temperature").FloatValue(), number("topK").Int32Value(), number("topP").FloatValue(),
        number("minP").FloatValue(), number("repeatPenalty").FloatValue(), number("seed").Uint32Value(),
    };
}

Napi::Value Session::write(const Napi::CallbackInfo & info) {
    auto & at = opened(info.Env());
    const auto options    = info[0].As<Napi::Object>();
    const auto sampling   = samplingOf(options);
    const auto max_tokens = options.Get("maxTokens").As<Napi::Number>().Uint32Value();
    const bool go_on      = options.Get("goOn").ToBoolean();
    return write(info, [=, &at](const Context::OnText & on_text, Outcome & outcome) {
        outcome.ended = at.write(sampling, max_tokens, go_on, outcome.tokens, on_text);
    });
}

Napi::Value Session::writeChecked(const Napi::CallbackInfo & info) {
    auto & at = opened(info.Env());
    const auto options    = info[0].As<Napi::Object>();
    const auto sampling   = samplingOf(options);
    const auto max_tokens = options.Get("maxTokens").As<Napi::Number>().Uint32Value();
    const auto stretch    = options.Get("stretch").As<Napi::Number>().Uint32Value();
    const auto draft      = options.Get("draft").As<Napi::Number>().Uint32Value();
    const bool go_on      = options.Get("goOn").ToBoolean();
    return write(info, [=, &at](const Context::OnText & on_text, Outcome & outcome) {
        outcome.ended = at.write_checked(sampling, max_tokens, stretch, draft, go_on, outcome.drafted, outcome.tokens, on_text);
    });
}

Napi::Value Session::write(const Napi::CallbackInfo & info, Write write) {
    // text crosses without waiting, so that the next token never waits for JavaScript
    auto stream = Napi::ThreadSafeFunction::New(info.Env(), info[1].As<Napi::Function>(), "precis text", 0, 1);

    auto outcome = std::make_shared<Outcome>();
    const auto work = [=]() mutable {
        const auto emit = [&](const std::string & text) {
            if (text.empty()) {
                return;
            }
            outcome->text += text;
            auto * copy = new std::string(text);
            const auto status = stream.NonBlockingCall(copy, [](Napi::Env env, Napi::Function call, std::string * value) {
                std::unique_ptr<std::string> owned(value);
                if (env != nullptr) {
                    call.Call({ Napi::String::New(env, *owned) });
                }
            });
            if (status != napi_ok) {
                delete copy;
            }
        };
        try {
            write(emit, *outcome);
        } catch (...) {
            stream.Release();
            throw;
        }
        stream.Release();
    };
    return start(info.Env(), work, [=](Napi::Env env) -> Napi::Value {
        auto result = Napi::Object::New(env);
        result.Set("drafted", outcome->drafted);
        result.Set("tokens", outcome->tokens);
        result.Set("ended", outcome->ended);
        result.Set("text", outcome->text);
        return result;
    });
}

Napi::Value Session::hasWhole(const Napi::CallbackInfo & info) {
    return now(info.Env(), [&](Context & at) -> Napi::Value { return Napi::Boolean::New(info.Env(), at.has_whole()); });
}

Napi::Value Session::lookAhead(const Napi::CallbackInfo & info) {
    auto & at = opened(info.Env());
    const auto sampling = samplingOf(info[0].As<Napi::Object>());
    const auto n        = info[1].As<Napi::Number>().Uint32Value();
    auto count = std::make_shared<uint32_t>(0);
    return start(info.Env(), [=, &at] { *count = at.look_ahead(sampling, n); }, [=](Napi::Env env) -> Napi::Value {
        return Napi::Number::New(env, *count);
    });
}

Napi::Value Session::lookedAt(const Napi::CallbackInfo & info) {
    return now(info.Env(), [&](Context & at) -> Napi::Value {
        return floats(info.Env(), at.looked_at(info[0].As<Napi::Number>().Uint32Value(), reductionOf(info[1])));
    });
}

Napi::Value Session::valueNorms(const Napi::CallbackInfo & info) {
    return now(info.Env(), [&](Context & at) -> Napi::Value {
        return floats(info.Env(), at.value_norms(info[0].As<Napi::Number>().Uint32Value()));
    });
}

static std::vector<uint8_t> bytesOf(const Napi::Value & value) {
    const auto list = value.As<Napi::Uint8Array>();
    return std::vector<uint8_t>(list.Data(), list.Data() + list.ElementLength());
}

Napi::Value Session::seal(const Napi::CallbackInfo & info) {
    auto & at = opened(info.Env());
    const auto identity = bytesOf(info[0]);
    return start(info.Env(), [=, &at] { at.seal(identity); }, undefined);
}

Napi::Value Session::takeWhole(const Napi::CallbackInfo & info) {
    auto & at = opened(info.Env());
    const auto identity = bytesOf(info[0]);
    return start(info.Env(), [=, &at] { at.take_whole(identity); }, undefined);
}

Napi::Value Session::feed(const Napi::CallbackInfo & info) {
    auto & at = opened(info.Env());
    const auto tokens = tokenList(info[0]);
    auto rows = std::make_shared<std::vector<float>>();
    return start(info.Env(), [=, &at] { *rows = at.feed(tokens); }, [=](Napi::Env env) -> Napi::Value { return floats(env, *rows); });
}

Napi::Value Session::feedWhole(const Napi::CallbackInfo & info) {
    auto & at = opened(info.Env());
    const auto tokens = tokenList(info[0]);
    auto rows = std::make_shared<std::vector<float>>();
    return start(info.Env(), [=, &at] { *rows = at.feed_whole(tokens); }, [=](Napi::Env env) -> Napi::Value { return floats(env, *rows); });
}

Napi::Value Session::rewind(const Napi::CallbackInfo & info) {
    return now(info.Env(), [&](Context & at) -> Napi::Value {
        const auto list = info[0].As<Napi::Float32Array>();
        at.rewind(std::vector<float>(list.Data(), list.Data() + list.ElementLength()));
        return info.Env().Undefined();
    });
}

Napi::Value Session::logits(const Napi::CallbackInfo & info) {
    return now(info.Env(), [&](Context & at) -> Napi::Value { return floats(info.Env(), at.logits()); });
}

Napi::Value Session::progress(const Napi::CallbackInfo & info) {
    return Napi::Number::New(info.Env(), context ? context->progress() : 0);
}

Napi::Value Session::abort(const Napi::CallbackInfo & info) {
    if (context) {
        context->abort();
    }
    return info.Env().Undefined();
}

Napi::Value Session::layerBytes(const Napi::CallbackInfo & info) {
    return Napi::Number::New(info.Env(), opened(info.Env()).layer_bytes(info[0].As<Napi::Number>().Uint32Value()));
}

Napi::Value Session::memoryBytes(const Napi::CallbackInfo & info) {
    return Napi::Number::New(info.Env(), opened(info.Env()).memory_bytes());
}

Napi::Value Session::computeBytes(const Napi::CallbackInfo & info) {
    return Napi::Number::New(info.Env(), opened(info.Env()).compute_bytes());
}

Napi::Value Session::peakBytes(const Napi::CallbackInfo & info) {
    return Napi::Number::New(info.Env(), opened(info.Env()).peak_bytes());
}

Napi::Value Session::dispose(const Napi::CallbackInfo & info) {
    if (busy) {
        throw Napi::Error::New(info.Env(), "The session is at work.");
    }
    context.reset();
    return info.Env().Undefined();
}
