#pragma once

#include <napi.h>

#include <functional>
#include <stdexcept>
#include <string>

// What a job throws: `code` becomes the code of the JavaScript error.
struct Failure : std::runtime_error {
    Failure(const char * code, const std::string & message) : std::runtime_error(message), code(code) {}
    const char * code;
};

// One piece of work on a thread of the pool, answered by a promise.
class Job : public Napi::AsyncWorker {
  public:
    using Work   = std::function<void()>;
    using Answer = std::function<Napi::Value(Napi::Env)>;
    using After  = std::function<void()>;

    // `after` runs on the JavaScript thread before the promise settles, whatever happened.
    static Napi::Promise start(Napi::Env env, Napi::Object owner, Work work, Answer answer, After after) {
        auto * job = new Job(env, owner, std::move(work), std::move(answer), std::move(after));
        auto promise = job->deferred.Promise();
        job->Queue();
        return promise;
    }

  protected:
    void Execute() override {
        try {
            work();
        } catch (const Failure & failure) {
            code = failure.code;
            SetError(failure.what());
        } catch (const std::bad_alloc &) {
            code = "out-of-memory";
            SetError("not enough memory");
        } catch (const std::exception & error) {
            SetError(error.what());
        }
    }

    void OnOK() override {
        after();
        deferred.Resolve(answer(Env()));
    }

    void OnError(const Napi::Error & error) override {
        after();
        Napi::Object value = error.Value();
        value.Set("code", Napi::String::New(Env(), code));
        deferred.Reject(value);
    }

  private:
    Job(Napi::Env env, Napi::Object owner, Work work, Answer answer, After after) :
        Napi::AsyncWorker(env), owner(Napi::Persistent(owner)), deferred(env),
        work(std::move(work)), answer(std::move(answer)), after(std::move(after)) {}

    Napi::ObjectReference   owner; // the session outlives its work
    Napi::Promise::Deferred deferred;
    Work   work;
    Answer answer;
    After  after;
    std::string code = "failed";
};
