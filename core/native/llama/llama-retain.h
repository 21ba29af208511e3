#pragma once

// Reading layer group by layer group, window scores and retention for llama_context, added to llama.cpp by Precis.
//
// A context made by llama_retain_init has a KV cache without storage. A document is read so:
//   llama_retain_hold       unless one group holds all layers
//   for each group of layers, in order
//     llama_retain_begin    gives the group storage for every token and makes the graph hold these layers only
//     llama_decode          for each batch, from position 0 on: a group after the first goes on from the hidden states of
//                           the one before, whatever the token ids
//     llama_retain_expect   once queries are observed no more, if llama_retain_expected is to be asked
//   llama_retain_ahead    waits for these batches
//   llama_retain_observed what the last tokens attend to, as llama_retain_observe asked for before each batch; and
//   llama_retain_keys, llama_retain_value_norms, llama_retain_expected   of each layer of the group, what else is known
//   llama_retain_keep       for each layer of the group, and for earlier ones that shrink further
//   llama_retain_pass       if the next group is to go on with some of the tokens only
//   llama_retain_finish, after which llama_decode goes on at the true position on the compact cache.
// One sequence (id 0), flash attention on. All calls from one thread at a time.

#include "llama.h"

#include "ggml-cpp.h"

#include <condition_variable>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

// What is summed up while a layer's batches are read. The first three are of the attention of scored tokens (softmax
// probabilities p): sums of p, of p*p and of p*ln(p). QUERIES is of tokens from all over the document.
enum llama_retain_what {
    LLAMA_RETAIN_SUMS    = 1,
    LLAMA_RETAIN_SQUARES = 2,
    LLAMA_RETAIN_ENTROPY = 4,
    LLAMA_RETAIN_QUERIES = 8,
};

// what came of rows that were to be kept
enum llama_retain_outcome {
    LLAMA_RETAIN_KEPT,
    LLAMA_RETAIN_NOT_HELD, // they are not a subset of what is held, or out of order
    LLAMA_RETAIN_NO_MEMORY,
};

// the first tokens of a document, whose queries are like no others (attention sinks), are left out of QUERIES
#define LLAMA_RETAIN_OUTLIERS 4

// every so many tokens' queries are in QUERIES: neighbours' say much the same
#define LLAMA_RETAIN_QUERY_STRIDE 4

// a layer's attention, summed up over the scored tokens of all batches where its keys lie: by llama_retain_what
struct llama_retain_attention {
    std::map<uint32_t, ggml_tensor *> sums; // f32 [cells, n_head]
};

// what of a batch's queries was summed up
struct llama_retain_query_batch {
    ggml_tensor * rope;  // the node that rotates them, NULL in a layer without
    int64_t       n;
    float         scale; // what a query times a key is multiplied by
};

// a layer's queries before rotary embedding, summed up over the batches where its keys lie
struct llama_retain_queries {
    ggml_tensor *           sum      = nullptr; // f32 [1, n_embd_head, n_head]
    ggml_tensor *           products = nullptr; // f32 [n_embd_head, n_embd_head, n_head], behind it
    int64_t                 n        = 0;
    float                   scale    = 0.0f;

    bool                 rotated = false;
    std::vector<int32_t> rope;              // parameters of the node
    ggml_tensor *        factors = nullptr; // its frequency factors, a tensor of the model

    void add(const llama_retain_query_batch & batch);
};

// what rotary embedding does on average at n positions from `first` on, to columns of n_embd elements, as some layer's queries
// are rotated
struct llama_retain_rotation {
    bool                 rotated = false;
    std::vector<int32_t> rope;
    ggml_tensor *        factors = nullptr;
    int64_t              n_embd  = 0;
    int32_t              first   = 0;
    uint32_t             n       = 0;
    std::shared_ptr<const std::vector<double>> mean; // n_embd x n_embd, column after column; nullptr: not known yet
};

// What queries scatter like, computed by the host while a device reads on (llama_retain_expect), of the layers that lie there:
// what keys are multiplied with takes the place of the queries' sums and products (llama-retain-expected.cpp)
struct llama_retain_expecting {
    int32_t                             first = 0;
    uint32_t                            n     = 0;
    std::map<int, size_t>               n_columns; // by layer
    std::vector<ggml_backend_event_ptr> read;      // by each device, the batches whose queries count
    std::future<void>                   done;
};

// what all layers of a group that lie in one place are summed up in: a device takes longer to give memory than to fill it
struct llama_retain_sums {
    ggml_context_ptr        tensors;
    ggml_backend_buffer_ptr buffer;
};

// What devices compute of a group's layers before it is asked for (llama_retain_ahead)
struct llama_retain_made {
    struct result {
        ggml_tensor *          t; // f32, part after part as llama_retain::by_parts() has them
        ggml_backend_event_ptr done;
    };
    uint32_t                             n_rows     = 0;
    bool                                 laying_out = false; // graphs get their memory only: it must not grow while one is under way
    bool                                 last       = false; // no group follows: what is held for one goes when nothing is under way
    std::map<const ggml_tensor *, result> results;           // by the K or V of a layer
    std::vector<ggml_context_ptr>        graphs;             // under way
    ggml_context_ptr                     tensors;
    std::vector<ggml_backend_buffer_ptr> buffers;

    // While the host looks at what it has of one layer, another thread fetches what there is of the next
    std::vector<std::vector<ggml_tensor *>> layers;
    std::map<const ggml_tensor *, size_t>   layer_of; // its index there
    float *                 fetched   = nullptr;      // of two layers in turn, n_most elements each
    size_t                  n_most    = 0;
    size_t                  n_fetched = 0;            // layers
    size_t                  looked_at = 0;            // the first that the host has not done with
    bool                    done      = false;
    std::mutex              mutex;
    std::condition_variable changed;
    std::future<void>       fetching;

    ~llama_retain_made();
};

// memory of a device that the next small K or V, of whichever layer, gets its part of
struct llama_retain_block {
    std::shared_ptr<ggml_backend_buffer> buffer;
    size_t                               n_used = 0; // bytes
};

// K or V of a layer that was read and cut down, for one that is still to be
struct llama_retain_spare {
    std::shared_ptr<ggml_context>        ctx;
    std::shared_ptr<ggml_backend_buffer> buf;
    ggml_tensor *                        t;
};

// Memory for what is computed of a group's layers one after the other, by where they lie. The next layer needs as much: to take
// it from a device and to give it back takes longer than most of what is computed there
struct llama_retain_scratch {
    std::map<ggml_backend_buffer_type_t, ggml_gallocr_ptr>        graphs;
    std::map<ggml_backend_buffer_type_t, ggml_backend_buffer_ptr> inputs;
};

// C++ hooks that the rest of llama.cpp calls
struct llama_model * llama_retain_remember_model(struct llama_model * model, const char * path);
void                 llama_retain_forget_model  (const struct llama_model * model);
bool                 llama_retain_deferred(); // while llama_retain_init makes a context
void                 llama_retain_set_room(struct llama_cparams & cparams); // what it was given, into that context's

struct llama_retain_reading;

// nodes that a context's largest graph has beside those of its model
uint32_t             llama_retain_max_nodes(const struct llama_model & model, const struct llama_cparams & cparams);

// queries of a batch whose attention is computed together, to be summed up. No more than CUDA has a kernel of its own for: more
// would go to cuBLAS, whose workspace nothing else needs; and fewer where they are long, as several such tensors live at a time.
// A device, which few rows do not fill, takes twice as many
int64_t              llama_retain_rows_at_once(int64_t n_kv, int64_t n_gqa, bool on_host);

// and KV heads for which it is: on a device tensors may be as large as the widest of a batch, and each kernel takes time to start
int64_t              llama_retain_heads_at_once(int64_t n_kv, int64_t n_gqa, int64_t n_head_kv, bool on_host);

// [columns, n_apart, heads] of t [columns, m*n_apart, heads]: sums over m; t is overwritten. Its second half is added to its first
// again and again: ggml_sum_rows would want a column in a row, and it and pooling take one thread on the CPU
struct ggml_tensor * llama_retain_sum(struct ggml_context * ctx, struct ggml_cgraph * graph, struct ggml_tensor * t, int64_t n_apart);

// puts the embeddings of a batch's tokens where its graph finds them, once the device has no use for what lies there
void                 llama_retain_look_up (struct llama_retain_reading & reading, const struct ggml_tensor * tok_embd, const llama_token * tokens, int64_t n_tokens, int n_threads);

// gives pages of a mapped file back to the system once a backend has its copy of what they hold (repacked weights, or a
// device's), so that no weight counts twice, not even while a model is loaded; who reads them gets them again from the
// page cache. Elsewhere than on POSIX nothing
void                 llama_retain_release (const void * data, size_t size);

// What stays beside the KV cache while a document is read; the graphs hold views of it, and no batch needs an input from the
// host: copying one waits until the device has come to rest
struct llama_retain_reading {
    ggml_tensor * hidden = nullptr; // f32 or f16 [n_embd, tokens]: what goes from one group of layers to the next, if there is one
    ggml_tensor * mask   = nullptr; // f16, zeros but for the edge of what was last read; of a whole batch, or of a part of it
    ggml_tensor * edge   = nullptr; // f16 [columns, tokens]: token i sees columns 0 .. i
    ggml_tensor * zero   = nullptr; // f16, of that shape
    ggml_tensor * pos    = nullptr; // i32 [tokens]: 0, 1, 2, ..., or what llama_retain_pass left of it
    ggml_tensor * cells  = nullptr; // i64 [tokens]: the cell of each, which is its row in `hidden`
    ggml_tensor * rows   = nullptr; // i32 [tokens of a batch]: 0, 1, 2, ...

    // While a device reads the first layers: embeddings of a batch's tokens, f32 [n_embd, tokens of a batch]. The host looks up the
    // next batch's meanwhile; as an input of the graph they would be copied once the device has come to rest
    struct embd_t {
        ggml_tensor *           t[2]   = {};
        int                     turn   = 0; // the next batch's
        ggml_backend_t          device = nullptr;
        ggml_backend_event_ptr  before;     // what the device was given before the last batch
        bool                    any    = false;
        std::vector<float>      rows;
        ggml_context_ptr        tensors;
        ggml_backend_buffer_ptr buffer;
    };
    std::unique_ptr<embd_t> embd; // nullptr: later layers, or an input of the graph

    // where the mask is not zero: the columns from n_before on, of n_tokens rows of n_kv
    struct edge_t { int64_t n_kv, n_before, n_columns, n_tokens; } last = {};

    ggml_context_ptr        tensors, mask_tensors;
    ggml_backend_buffer_ptr buffer,  mask_buffer;
};

extern "C" {

#define LLAMA_RETAIN_ABI 16

LLAMA_API int32_t llama_retain_abi(void);

// the model that was last loaded from this path in this process, NULL if none is
LLAMA_API struct llama_model * llama_retain_find_model(const char * path);

// why this model cannot be read in groups, as the end of a sentence; NULL when it can
LLAMA_API const char * llama_retain_refusal(const struct llama_model * model);

// whether it continues a text at all: encoders do not
LLAMA_API bool llama_retain_can_write(const struct llama_model * model);

// whether a layer sees a sliding window only: its cache is small, is not scored and keeps what it holds
LLAMA_API bool llama_retain_is_sliding(const struct llama_model * model, uint32_t il);

// like llama_init_from_model, without storage for the KV cache; NULL on failure. The graph has room for anything to be observed in
// groups of n_layers layers, 0: of none, and of the attention of n_rows tokens of a batch
LLAMA_API struct llama_context * llama_retain_init(struct llama_model * model, struct llama_context_params params, uint32_t n_layers, uint32_t n_rows);

// whether flash attention is really on, after the backends had their say
LLAMA_API bool llama_retain_flash_attn(const struct llama_context * ctx);

// Before the first group: room for the hidden states of n_tokens tokens between groups, as f32 (exact) or f16 (half the
// bytes), where the KV cache lies or, when there is no room, in the host's memory. n_tokens 0 frees it, after the last group.
// Returns the bytes of the hidden states; 0: no memory
LLAMA_API size_t llama_retain_hold(struct llama_context * ctx, enum ggml_type type, uint32_t n_tokens);

// why its layers cannot go on with some of the tokens only, as the end of a sentence; NULL when they can
LLAMA_API const char * llama_retain_pass_refusal(const struct llama_model * model);

// Between two groups: only the tokens at these positions (ascending, of those that went through the last group) go on to the
// layers that follow, where each still attends with its true position. From then on batches are of these tokens alone: the
// positions that llama_decode is given count them, 0 .. n - 1, and so do rows and columns of all that is read back.
// llama_retain_keep goes on to speak of true positions. false: not a subset, no group has been read, or no memory
LLAMA_API bool llama_retain_pass(struct llama_context * ctx, const uint32_t * positions, uint32_t n);

// storage of n_cells tokens for layers [il_begin, il_end) (as many as its window needs for a sliding one); forgets the
// positions of the group before. Plain storage is of the context's KV types and is to stay; otherwise it is f16, exact,
// until llama_retain_keep. false: no memory
LLAMA_API bool llama_retain_begin(struct llama_context * ctx, uint32_t il_begin, uint32_t il_end, uint32_t n_cells, bool plain);

// of the next batches `what` (llama_retain_what, or-ed) is summed up, of attention that of their last n_rows tokens; 0: nothing.
// Asked before a group's first batch, it also takes the memory that its largest graph needs: otherwise each batch may take more.
// false: no memory, or more layers or tokens than the context has room for
LLAMA_API bool llama_retain_observe(struct llama_context * ctx, uint32_t what, uint32_t n_rows);

// observes no more, and forgets what was summed up, as llama_retain_begin and llama_retain_finish do
LLAMA_API void llama_retain_forget(struct llama_context * ctx);

// what was summed up of a layer: [n_head][n_kv] f32, one of the first three llama_retain_what; n_kv includes unused cells.
// Until the next call. *n_kv is set; NULL when it was not asked for, or no memory
LLAMA_API const float * llama_retain_observed(struct llama_context * ctx, uint32_t il, uint32_t what, uint32_t * n_kv);

// of a layer whose batches are all read, before llama_retain_keep: keys of the first n_rows positions as f32,
// [n_head_kv][n_rows][size of a key]; returns that size. `keys` may be NULL. 0: the layer has no such storage
LLAMA_API uint32_t llama_retain_keys(struct llama_context * ctx, uint32_t il, uint32_t n_rows, float * keys);

// likewise the lengths of the values: [n_head_kv][n_rows] f32. false: the layer has no such storage
LLAMA_API bool llama_retain_value_norms(struct llama_context * ctx, uint32_t il, uint32_t n_rows, float * norms);

// The queries of the group's layers have all been summed up, by batches that may still be under way: where a layer lies on a device,
// the host begins to compute what llama_retain_expected(ctx, il, ..., first, n_future, ...) needs of them, and the device goes on
// reading; other positions cannot be asked for then. On the CPU, where reading has all threads, and where the device knows no
// events, nothing happens before it is asked
LLAMA_API void llama_retain_expect(struct llama_context * ctx, int32_t first, uint32_t n_future);

// Likewise, of a layer with QUERIES: the logarithm, up to a constant per head, of the attention that a key can expect from
// queries at positions first .. first + n_future - 1 when these are normally distributed: with the mean and covariance of
// the document's queries before rotary embedding, both turned by the mean rotation of these positions. [n_head][n_rows] f32.
// false: queries or keys are missing, or no memory
LLAMA_API bool llama_retain_expected(struct llama_context * ctx, uint32_t il, uint32_t n_rows, int32_t first, uint32_t n_future,
        float * logits);

// The group's batches are under way: waits until they are read. Devices go on at once, while the host looks at one layer after the other,
// with what llama_retain_expected, if it is prepared, and llama_retain_value_norms, if `norms`, will be asked for of n_rows. Not in
// groups of one layer, where memory is scarce
LLAMA_API void llama_retain_ahead(struct llama_context * ctx, uint32_t n_rows, bool norms);

// keeps of layer il the rows at positions (n_keep[h] of each KV head, one head after the other, each ascending, all before
// the window) and the last n_window of n_tokens; frees the rest. Heads that keep different numbers are stored apart, and
// attention then takes a call for each
LLAMA_API enum llama_retain_outcome llama_retain_keep(struct llama_context * ctx, uint32_t il, const uint32_t * positions, const uint32_t * n_keep,
        uint32_t n_tokens, uint32_t n_window);

// all layers are read: makes the window the first cells of the cache. false: a layer that can retain has its staging
LLAMA_API bool llama_retain_finish(struct llama_context * ctx, uint32_t n_tokens, uint32_t n_window);

// room for n_cells tokens beside the retained rows, in every layer; never fewer than are in use. false: no memory
LLAMA_API bool llama_retain_reserve(struct llama_context * ctx, uint32_t n_cells);

LLAMA_API uint32_t llama_retain_n_cells(const struct llama_context * ctx);

// bytes of K and V that a layer holds now; and the most that all layers ever held together
LLAMA_API size_t llama_retain_layer_bytes(const struct llama_context * ctx, uint32_t il);
LLAMA_API size_t llama_retain_peak_bytes (const struct llama_context * ctx);

// bytes of memory (KV or whatever the model has) and of compute buffers, of any context, all devices together; among the
// latter is what llama_retain_hold has beside hidden states
LLAMA_API size_t llama_retain_memory_bytes (const struct llama_context * ctx);
LLAMA_API size_t llama_retain_compute_bytes(const struct llama_context * ctx);

// The whole KV cache of a document can lie beside the compressed one, in memory of the caller's such as a mapped file: a second
// context of llama_retain_init, of the same model and types and on the CPU, which goes on from all positions.
//   llama_retain_lend     gives it that memory, before the first group is read
//   llama_retain_put      copies a layer to it, before llama_retain_keep
//   llama_retain_lent     all layers are there: llama_decode on it goes on behind the document
// and the compressed one is filled anew from it:
//   llama_retain_refill   for every layer that retains, and then
//   llama_retain_refilled

// bytes that n_cells tokens take in all layers that attend to everything: K rows and V rows of each, as f16. Either begins at a
// multiple of this, which is one of any system's pages: no page holds more than one of them
#define LLAMA_RETAIN_LENT_ALIGN 65536

LLAMA_API size_t llama_retain_lend_size(const struct llama_context * whole, uint32_t n_cells);

// false: too small, not aligned as tensors are, or no memory for what sliding layers hold, which is the context's own
LLAMA_API bool llama_retain_lend(struct llama_context * whole, void * data, size_t size, uint32_t n_cells);

// where the first n_rows K or V rows of a layer lie, and their bytes; NULL: the layer has no such storage
LLAMA_API const void * llama_retain_lent_rows(struct llama_context * whole, uint32_t il, bool values, uint32_t n_rows, size_t * n_bytes);

// n_rows rows of a layer whose batches are all read. A sliding layer has none to give before llama_retain_lent.
// false: the layer has no such storage
LLAMA_API bool llama_retain_put(struct llama_context * ctx, uint32_t il, uint32_t n_rows, struct llama_context * whole);

// the cells hold positions 0 .. n_tokens - 1; sliding layers take over what those of ctx hold, which has just been read (NULL:
// there are none). false: more than there are cells, or sliding layers without ctx
LLAMA_API bool llama_retain_lent(struct llama_context * whole, struct llama_context * ctx, uint32_t n_tokens);

// retains of layer il what lies at these positions (as in llama_retain_keep, all before n_before), and makes room for n_cells
// new tokens behind, the first of which are those from n_before to n_past - 1 of the whole cache. A sliding layer has none.
// holds(data) is asked once the rows are copied: where they are not good, the layer keeps what it has (LLAMA_RETAIN_NO_MEMORY)
LLAMA_API enum llama_retain_outcome llama_retain_refill(struct llama_context * ctx, uint32_t il, const uint32_t * positions, const uint32_t * n_keep,
        struct llama_context * whole, uint32_t n_before, uint32_t n_past, uint32_t n_cells, bool (*holds)(void *), void * data);

// false: a layer has not been filled
LLAMA_API bool llama_retain_refilled(struct llama_context * ctx, uint32_t n_before, uint32_t n_past, uint32_t n_cells);

// A finished context can be written down and set up again:
//   llama_retain_kept, llama_retain_get_layer                       per layer, before anything more is decoded
//   llama_retain_get_cells                                          the positions in the cells
//   llama_retain_set_layer for every layer, llama_retain_set_cells  in a new context of llama_retain_init

// the positions of a KV head's retained rows. Returns how many; positions may be NULL
LLAMA_API uint32_t llama_retain_kept(const struct llama_context * ctx, uint32_t il, uint32_t head, uint32_t * positions);

// K rows, then V rows: the retained ones and those of the n_cells first cells; when heads keep different numbers, of one
// head after the other. Returns their bytes; data may be NULL
LLAMA_API size_t llama_retain_get_layer(struct llama_context * ctx, uint32_t il, uint32_t n_cells, uint8_t * data);

// the positions in the cells that hold all layers' new tokens, or the sliding layers' (-1: empty). Returns how many cells
LLAMA_API uint32_t llama_retain_get_cells(const struct llama_context * ctx, bool sliding, int32_t * positions);

// gives layer il what llama_retain_get_layer returned with n_stored cells, of which the first n_cells are taken.
// false: sizes do not fit, positions do not ascend or reach n_tokens, no memory
LLAMA_API bool llama_retain_set_layer(struct llama_context * ctx, uint32_t il, const uint32_t * positions, const uint32_t * n_kept,
        uint32_t n_tokens, const uint8_t * data, size_t size, uint32_t n_stored, uint32_t n_cells);

// all layers are set: the n_cells first cells hold the positions that follow n_tokens; `sliding` those of the sliding
// layers' cells, of which those up to the last cell's are taken. false: a layer is missing, or a sliding one lacks what the
// next token sees
LLAMA_API bool llama_retain_set_cells(struct llama_context * ctx, uint32_t n_tokens, uint32_t n_cells,
        const int32_t * sliding, uint32_t n_sliding);

}
