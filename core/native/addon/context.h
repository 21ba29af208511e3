#pragma once

#include "llama-retain.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
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
        bool      grouped;    // false: llama.cpp's own cache, for models that cannot be read in groups
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

    // throws Failure "model-missing", "model-unsupported", "out-of-memory"
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

    // Writes up to max_tokens; on_text gets whole UTF-8 characters. Returns whether the model ended by itself.
    bool write(const Sampling & sampling, uint32_t max_tokens, uint32_t & n_written, const std::function<void(const std::string &)> & on_text);

    // Decodes the tokens one by one (teacher forcing) and returns the logits after each: [tokens][vocabulary].
    std::vector<float> feed(const std::vector<llama_token> & tokens);

    // The logits after the last token: [vocabulary].
    std::vector<float> logits() const;

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
    void check(int status, const char * what) const;
    void start_threads();

    struct Free { void operator()(llama_context * ctx) const { llama_free(ctx); } };
    std::shared_ptr<ggml_threadpool> pool; // outlives the context
    std::unique_ptr<llama_context, Free> ctx;
    const llama_model * model;

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

    std::atomic<bool>   aborted{false};
    std::atomic<double> done{0};
};
