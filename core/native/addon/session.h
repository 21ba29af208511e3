#pragma once

#include "context.h"
#include "job.h"

#include <napi.h>

// The JavaScript face of Context; see core/engine/native.ts for its types.
class Session : public Napi::ObjectWrap<Session> {
  public:
    static Napi::Function define(Napi::Env env);
    explicit Session(const Napi::CallbackInfo & info);

  private:
    Napi::Value open(const Napi::CallbackInfo & info);
    Napi::Value read(const Napi::CallbackInfo & info);
    Napi::Value pass(const Napi::CallbackInfo & info);
    Napi::Value keep(const Napi::CallbackInfo & info);
    Napi::Value finish(const Napi::CallbackInfo & info);
    Napi::Value state(const Napi::CallbackInfo & info);
    Napi::Value slidingCells(const Napi::CallbackInfo & info);
    Napi::Value restore(const Napi::CallbackInfo & info);
    Napi::Value resume(const Napi::CallbackInfo & info);
    Napi::Value write(const Napi::CallbackInfo & info);
    Napi::Value writeChecked(const Napi::CallbackInfo & info);
    Napi::Value hasWhole(const Napi::CallbackInfo & info);
    Napi::Value lookAhead(const Napi::CallbackInfo & info);
    Napi::Value lookedAt(const Napi::CallbackInfo & info);
    Napi::Value valueNorms(const Napi::CallbackInfo & info);
    Napi::Value seal(const Napi::CallbackInfo & info);
    Napi::Value takeWhole(const Napi::CallbackInfo & info);
    Napi::Value refill(const Napi::CallbackInfo & info);
    Napi::Value feed(const Napi::CallbackInfo & info);
    Napi::Value feedWhole(const Napi::CallbackInfo & info);
    Napi::Value rewind(const Napi::CallbackInfo & info);
    Napi::Value logits(const Napi::CallbackInfo & info);
    Napi::Value progress(const Napi::CallbackInfo & info);
    Napi::Value abort(const Napi::CallbackInfo & info);
    Napi::Value layerBytes(const Napi::CallbackInfo & info);
    Napi::Value memoryBytes(const Napi::CallbackInfo & info);
    Napi::Value computeBytes(const Napi::CallbackInfo & info);
    Napi::Value peakBytes(const Napi::CallbackInfo & info);
    Napi::Value dispose(const Napi::CallbackInfo & info);

    // one piece of work at a time, and only on an open context
    Napi::Promise start(Napi::Env env, Job::Work work, Job::Answer answer);
    Context & opened(Napi::Env env) const;
    // for short calls that answer at once
    template <typename F> Napi::Value now(Napi::Env env, F answer);

    struct Outcome { uint32_t drafted = 0; uint32_t tokens = 0; bool ended = false; std::string text; };
    // work that writes: with the text's receiver, and what comes of it
    using Write = std::function<void(const Context::OnText &, Outcome &)>;
    Napi::Value write(const Napi::CallbackInfo & info, Write write);

    std::unique_ptr<Context> context;
    bool busy = false;
};
