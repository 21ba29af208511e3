#pragma once

#include "llama-retain.h"
#include "mapped-file.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

struct Sampling {
    float    temperature;
    int32_t  top_k;
    float    top_p;
    float    min_p;
    float    repeat_penalty;
    uint32_t seed;
};

enum class Reduction { none, mean, max };

// One document in one llama_context: read it group by group, then write. No JavaScript in here.
// Not for several threads at once, but abort() and progress() may be called while another call runs.
class Context {
  public:
    struct Keep {
        uint32_t              layer;
        std::vector<uint32_t> counts;    // of each KV head
        std::vector<uint32_t> positions; // of one KV head after the other
    };

    struct Options {
        uint32_t  batch;      // tokens
        uint32_t  threads;
        uint32_t  room;       // tokens that may follow the prompt
        ggml_type kv_type;    // of what is kept: f16, q8_0 or q4_0
        bool      hidden_f16; // hidden states wait between groups in f16 (half the bytes) or f32 (exact)
        uint32_t  observed;   // layers of the largest group of which anything is observed
        bool      grouped;    // false: llama.cpp's own cache, for models that cannot be read in groups
        std::string whole;    // path of a file of the whole KV cache; empty: none
        enum { nameless, named, existing } whole_is; // what is read goes to the first two
    };

    // What a finished context holds for one layer, or takes over from one that was saved.
    struct LayerState {
        std::vector<uint32_t> kept;      // rows of each KV head; empty for a sliding layer
        std::vector<uint32_t> positions; // of one KV head after the other
        std::vector<uint8_t>  rows;      // see llama_retain_get_layer: the kept rows and the window's (all cells of a sliding layer)
    };

    // What reading is to observe of each layer; nothing else is computed or copied.
    struct Wanted {
        Reduction reduction;       // none: no scores
        bool      variances;       // these two want a reduction
        bool      entropy;
        bool      value_norms;
        bool      keys;
        bool      expected_logits;
    };

    // What was observed of a layer that is not sliding: see LayerScores in core/compression/policy.ts. n is tokens - window,
    // or what pass() has left of them.
    struct Observed {
        std::vector<float> scores;          // [kv heads][n]
        std::vector<float> variances;       // [kv heads][n]
        double             entropy = 0.0;
        std::vector<float> value_norms;     // [kv heads][n]
        std::vector<float> keys;            // [kv heads][n][key size]
        std::vector<float> expected_logits; // [query heads][n]
    };

    // throws Failure "model-missing", "model-unsupported", "out-of-memory", and of the file "disk-full" and "no-file"
    Context(const std::string & model_path, std::vector<llama_token> tokens, uint32_t window, const Options & options);

    // Reads all tokens, or those that pass() left, through layers [begin, end), which must follow the last call's. `plain`:
    // nothing will be dropped, so the storage is final. Returns one for each layer that is not sliding.
    std::vector<Observed> read(uint32_t begin, uint32_t end, const Wanted & wanted, bool plain);

    // Between two groups: of the positions before the window only these, ascending, go on to the layers that follow, and
    // the window. A group after that keeps some of them.
    void pass(const std::vector<uint32_t> & positions);

    void keep(const std::vector<Keep> & layers);
    void finish();

    // After finish() and before anything is written.
    LayerState           state(uint32_t layer) const;
    std::vector<int32_t> sliding_cells() const; // positions in the sliding layers' cells; empty without such layers

    // Instead of read(): restore() for every layer, then resume(). n_window is that of the saved context; when its
    // window is this one's, `saved_logits` are those after the prompt, otherwise empty: then the window is read.
    void restore(uint32_t layer, const LayerState & state, uint32_t n_window, bool with_window);
    void resume(const std::vector<int32_t> & sliding, std::vector<float> saved_logits);

    using OnText = std::function<void(const std::string &)>;

    // Writes up to max_tokens; on_text gets whole UTF-8 characters. Returns whether the model ended by itself. `go_on`: with the
    // sampling and the half character that the last call left, as if it had not ended.
    bool write(const Sampling & sampling, uint32_t max_tokens, bool go_on, uint32_t & n_written, const OnText & on_text);

    // Likewise, what the whole cache would write, and ends once `stretch` tokens are written. `draft` > 1: so many tokens at a
    // time, 8 at most, are drafted on the compressed cache and read on the whole one together; as many of them hold as are what
    // follows there, at least the first. n_drafted is set.
    bool write_checked(const Sampling & sampling, uint32_t max_tokens, uint32_t stretch, uint32_t draft, bool go_on,
            uint32_t & n_drafted, uint32_t & n_written, const OnText & on_text);

    // Whether the whole cache lies beside the compressed one: it does no longer once its file is found to be cut short, changed or
    // not to be read. Then read() has gone on without it, write_checked() has ended with what holds, look_ahead() has written
    // nothing, refill() has kept what was kept, and the compressed one is as good as it was.
    bool has_whole();

    // Writes n tokens, 64 at most, that nobody sees, reads them on the whole cache, and takes them back: what they look at there
    // can be asked for until something else is read on it. Returns how many: fewer when the text ends.
    uint32_t look_ahead(const Sampling & sampling, uint32_t n);

    // [kv heads][tokens - window]; empty when nothing was observed.
    std::vector<float> looked_at(uint32_t layer, Reduction reduction) const;
    // Lengths of the whole cache's values before the window: [kv heads][tokens - window].
    std::vector<float> value_norms(uint32_t layer) const;

    // After finish(): the whole cache's file stays, for a context with existing(): it holds what was read before the window
    // under this identity (32 bytes). Throws Failure "disk-full", "no-file"
    void seal(const std::vector<uint8_t> & identity);

    // Instead of read(): takes the whole cache's existing file, and reads the window on it; what the window (its last 64 tokens)
    // looks at can then be asked for. refill() must follow. Either throws Failure "refused" with a reason when the file does not
    // match, or no longer does.
    void take_whole(const std::vector<uint8_t> & identity);

    // After finish(): keeps these positions instead, with what the whole cache holds there, and has what was written as it is
    // on the whole cache, too.
    void refill(const std::vector<Keep> & layers);

    // Decodes the tokens one by one (teacher forcing) and returns the logits after each: [tokens][vocabulary].
    std::vector<float> feed(const std::vector<llama_token> & tokens);

    // The logits after the last token: [vocabulary].
    std::vector<float> logits() const;

    // Likewise feed(), on the whole cache alone.
    std::vector<float> feed_whole(const std::vector<llama_token> & tokens);

    // Takes back all that was written after the prompt, whose logits these are.
    void rewind(std::vector<float> prompt_logits);

    void   abort()          { aborted = true; }
    double progress() const { return done; } // layers x tokens read so far

    size_t layer_bytes(uint32_t layer) const;
    size_t memory_bytes() const;  // all of the KV cache, sliding layers included
    size_t compute_bytes() const; // buffers of the graph and what it reads beside KV and hidden states, at the worst moment
    size_t peak_bytes() const;    // K, V and hidden states at the worst moment

  private:
    void decode(const llama_token * list, uint32_t n);
    void observe_rest(uint32_t layer, const Wanted & wanted, Observed & observed) const;
    void count_peak();
    void keep_each(const std::vector<Keep> & layers, const std::function<llama_retain_outcome(const Keep &)> & keep_layer);
    void check(int status, const char * what) const;
    void start_threads();
    void open_whole(const llama_context_params & params);
    uint64_t checksum_of_whole() const;
    void settle_whole();
    bool try_whole(const std::function<void()> & work);
    void refill_each(const std::vector<Keep> & layers);
    void read_whole(const llama_token * list, uint32_t n, bool observe, bool all_logits);
    void take_logits(uint32_t i);
    void begin_writing(const Sampling & sampling, bool go_on);
    void catch_up();
    void catch_up_whole();
    void forget(uint32_t n_left);
    void emit(llama_token token, const OnText & on_text);

    struct Free { void operator()(llama_context * ctx) const { llama_free(ctx); } };
    std::shared_ptr<ggml_threadpool> pool; // outlives the context
    std::unique_ptr<llama_context, Free> ctx;
    const llama_model * model;

    // the whole KV cache beside the one above, and the positions that it holds
    struct Whole {
        std::unique_ptr<MappedFile> file; // outlives the context
        std::unique_ptr<llama_context, Free> ctx;
        uint32_t n_cells = 0;
        uint32_t n_past = 0;
        std::vector<float> logits; // after n_past
    };
    std::unique_ptr<Whole> whole;
    std::vector<llama_token>       written; // after the prompt
    std::optional<llama_token>     next;    // sampled, and not decoded yet
    std::shared_ptr<llama_sampler> sampler;
    std::string                    pending; // a character that is not whole yet

    std::vector<llama_token> tokens;
    uint32_t window;
    Options  options;
    uint32_t n_layer;
    uint32_t n_rows;     // tokens that go through the next group
    uint32_t n_past = 0;
    bool     retained = false; // after keep: the window is all that stands in the cells

    std::vector<float> resumed; // logits after the prompt, until something is decoded
    size_t held = 0; // bytes of hidden states that wait for the next group
    size_t peak    = 0;
    size_t compute = 0;
    size_t given_back = 0; // bytes of storage since the allocator last returned what it has

    std::atomic<bool>   aborted{false};
    std::atomic<double> done{0};
};
