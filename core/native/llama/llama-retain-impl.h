#pragma once

// What the llama-retain-*.cpp share, for no others. Which of them holds what: docs/native.md

#include "llama-retain.h"

#include "llama-context.h"
#include "llama-kv-cache-iswa.h"
#include "llama-model.h"

#include <functional>
#include <memory>
#include <vector>

// what needs the insides of the context and of its cache
struct llama_retain {
    // the cache of the layers that attend to everything: the one that retains
    static llama_kv_cache & cache(const llama_context * ctx);

    // the small cache of the sliding-window layers, if there are any: it keeps what they see, and is left alone
    static llama_kv_cache * sliding(const llama_context * ctx);

    // the one of the two that this layer is in
    static llama_kv_cache & holder(const llama_context * ctx, uint32_t il);

    // CUDA's faster attention kernels want a multiple of so many cells; on the CPU, where unused ones would only cost, it is 1
    static uint32_t step(const llama_kv_cache & kv);

    //
    // K and V of a layer: llama-retain-storage.cpp, as are the four above
    //

    using kv_layer = llama_kv_cache::kv_layer;

    static kv_layer & layer_of(const llama_context * ctx, uint32_t il);

    // what is done to K and then to V
    struct kind {
        ggml_tensor *                          kv_layer::* t;
        std::vector<ggml_tensor *>             kv_layer::* stream;
        std::shared_ptr<ggml_context>          kv_layer::* own_ctx;
        std::shared_ptr<ggml_backend_buffer>   kv_layer::* own_buf;
        ggml_type                        llama_kv_cache::* retain_type;
    };

    static constexpr kind kinds[] = {
        { &kv_layer::k, &kv_layer::k_stream, &kv_layer::own_ctx_k, &kv_layer::own_buf_k, &llama_kv_cache::retain_type_k },
        { &kv_layer::v, &kv_layer::v_stream, &kv_layer::own_ctx_v, &kv_layer::own_buf_v, &llama_kv_cache::retain_type_v },
    };

    // what a layer is stored as: all heads together, or each on its own
    static std::vector<const kv_layer *> parts(const kv_layer & layer);

    static const kv_layer & part_of(const kv_layer & layer, uint32_t head);

    // positions of the retained rows of one head
    static const std::vector<uint32_t> & kept_of(const kv_layer & layer, uint32_t head);

    // its storage was given back or never given
    static bool is_empty(const kv_layer & layer);

    // read, and not yet cut down
    static bool is_staged(const kv_layer & layer);

    // elements of a row of all heads
    static int64_t width(const kv_layer & layer, const kind & kind);

    // of a layer that was read and not yet cut down: its K or V; nullptr otherwise
    static ggml_tensor * staging(const llama_context * ctx, uint32_t il, bool values, uint32_t n_rows);

    // `beside`: bytes that are held for a moment and belong to no layer
    static void count(const llama_context * ctx, size_t beside = 0);

    // Instead of giving a layer's K or V back to a device, which takes longer than to cut it down: as many layers' as are still to
    // be read keep it for these. false: it is not one of these
    static bool spare(llama_context * ctx, const kv_layer & layer, const kind & kind);

    // takes such storage, where `old` lies. What it holds is finite, and masked until it is written. false: there is none
    static bool take_spare(llama_context * ctx, const ggml_tensor * old, ggml_type type, int64_t n_embd, uint32_t n_rows, const kind & kind, kv_layer & out);

    // K or V of n_rows empty rows of n_embd elements, where `old` lies. false: no memory
    static bool alloc(llama_context * ctx, const ggml_tensor * old, ggml_type type, int64_t n_embd, uint32_t n_rows, const kind & kind, kv_layer & out);

    // n_rows empty rows of all heads together, as f16 (exact) or of the cache's types. false: no memory
    static bool renew(llama_context * ctx, const llama_kv_cache & kv, kv_layer & layer, bool exact, uint32_t n_rows);

    // puts the layer's K and V into the new parts, of n_cells rows after their prefixes each, which copy(kind, part, to) fills, or has a
    // device fill: whether it has still to do so is what it returns.
    // K goes before V is copied: at most one of the two exists twice; with `holds`, which says whether what was copied is good,
    // neither goes before it is asked. false: no memory, or not good
    static bool replace(llama_context * ctx, kv_layer & layer, std::vector<kv_layer> fresh, const ggml_type (&types)[2], uint32_t n_cells,
            const std::function<bool(const kind &, size_t, ggml_tensor *)> & copy, const std::function<bool()> & holds = {});

    // parts for n heads with these positions: one, or one for each head when they keep different numbers
    static std::vector<kv_layer> new_parts(uint32_t il, std::vector<std::vector<uint32_t>> kept);

    // lists of positions, one KV head after the other: each is to ascend, and to end before `end`
    static bool take_positions(const uint32_t * positions, const uint32_t * n_keep, uint32_t end, std::vector<std::vector<uint32_t>> & kept);

    // puts into the layer what another one, or itself, holds in these rows of each head: those that are kept at these positions,
    // then those of the first of n_cells cells. false and `holds`: see replace()
    static bool retain_rows(llama_context * ctx, kv_layer & layer, const kv_layer & source, std::vector<std::vector<uint32_t>> kept,
            const std::vector<std::vector<int32_t>> & rows, uint32_t n_cells, const std::function<bool()> & holds = {});

    //
    // rows: llama-retain-rows.cpp
    //

    // some of the heads that stand side by side in a tensor's rows
    struct heads {
        ggml_tensor * t;
        uint32_t      first;
        uint32_t      n_embd; // elements of one

        size_t size()   const { return ggml_row_size(t->type, n_embd); }
        size_t offset() const { return first*size(); }
    };

    // the first rows of dst from rows of src, listed for each of n_head heads, as many for one as for the other. f16 may become
    // a quantised type; a block never spans two heads, and what is quantised already is copied bit by bit. `ids`: the rows on the
    // device, from the first-th on: it may then still be at it, which is returned
    static bool gather(llama_context * ctx, const heads & from_heads, const heads & to_heads, uint32_t n_head, const std::vector<int32_t> * rows,
            const ggml_tensor * ids = nullptr, size_t first = 0);

    // each(i) of 0 .. n - 1, on so many threads
    static void share(int n_threads, int64_t n, const std::function<void(int64_t)> & each);

    // the bytes of a tensor on the host: in place, or copied from the device into `copy`
    static const uint8_t * on_host(const ggml_tensor * t, std::vector<uint8_t> & copy);

    // a tensor of another shape or type over the same bytes
    static ggml_tensor * alias(ggml_context * ctx, const ggml_tensor * t, ggml_type type, int64_t ne0, int64_t ne1, int64_t ne2, size_t nb2);

    // the backend that computes on what lies in buffers of this type; nullptr: none
    static ggml_backend_t backend(const llama_context * ctx, ggml_backend_buffer_type_t buft);

    // lays out and computes a graph where buffers of this type lie, in memory that the next one uses again; the device may still be
    // computing afterwards. set() writes inputs, once they have their place. false: it cannot, or no memory
    static bool compute(llama_context * ctx, ggml_backend_buffer_type_t buft, ggml_cgraph * graph, const std::function<void()> & set = {});

    // places there all tensors of a context that have no place yet, likewise until the next ones are placed. false: no memory
    static bool place_inputs(llama_context * ctx, ggml_context * tensors, ggml_backend_buffer_type_t buft);

    // memory of the host's, of this many bytes, that the device of such buffers writes to by itself, where it has such; until the
    // next call. nullptr: none
    static float * read_buffer(llama_context * ctx, ggml_backend_buffer_type_t buft, size_t size);
    static float * read_buffer(ggml_backend_buffer_ptr & buffer, ggml_backend_buffer_type_t buft, size_t size);

    //
    // what is made of a layer's rows: llama-retain-parts.cpp, and ahead of being asked for llama-retain-ahead.cpp
    //

    // where a device puts, or has put, what was asked for ahead of n_rows of this K or V; nullptr: nowhere
    static llama_retain_made::result * made_of(const llama_context * ctx, const ggml_tensor * staged, uint32_t n_rows);

    // what another thread has fetched of a tensor, or soon will have: until the next layer's are asked for. nullptr: it does not
    static const float * fetched(const llama_context * ctx, const ggml_tensor * t);

    // rows that by_parts() computes for n_rows
    static int64_t padded_rows(const ggml_tensor * staged, int64_t n_rows);

    // What build() makes of a layer's first n_rows keys or values, f16 [elements of all heads, rows], where they lie, into `out`:
    // f32 [n_rows, n_made]. For so many rows at a time that these and what is between, n_between f32 elements a row, stay in a core's
    // cache; on a device, that they are worth a launch. With `out` nullptr a device begins with it. false: no memory
    static bool by_parts(llama_context * ctx, const ggml_tensor * staged, int64_t n_rows, int64_t n_between, int64_t n_made,
            const std::function<ggml_tensor *(ggml_context *, ggml_cgraph *, ggml_tensor *)> & build, float * out);

    //
    // rotary embedding: llama-retain-rotation.cpp
    //

    // what it does on average at n positions from `first` on, to columns of n_embd elements, as the layer's queries are rotated:
    // n_embd x n_embd, column after column; nullptr: no memory
    static std::shared_ptr<const std::vector<double>> mean_rotation(llama_context * ctx, const llama_retain_queries & queries, int64_t n_embd, int32_t first, uint32_t n);

    //
    // cells: llama-retain-cells.cpp
    //

    static void reset_cells(llama_kv_cache & kv, uint32_t n_cells);

    // Has another thread take apart what is known of a long document's cells, and make as many anew for the next group: either
    // takes longer than a batch
    static void renew_cells(llama_kv_cache & kv);

    // the position in each cell, -1: it is empty
    static std::vector<llama_pos> positions_of(const llama_kv_cache & kv);

    // n_cells cells, of which the first hold these positions
    static void fill_cells(llama_kv_cache & kv, uint32_t n_cells, const std::vector<llama_pos> & positions);

    // n positions from `first` on
    static void fill_cells(llama_kv_cache & kv, uint32_t n_cells, uint32_t first, uint32_t n);

    static void changed(llama_context * ctx, uint32_t il_begin, uint32_t il_end);

    // all layers retain: the first of n_cells cells hold n positions from `first` on. false: a layer is empty or staged
    static bool occupy(llama_context * ctx, uint32_t n_cells, uint32_t first, uint32_t n);

    // Lays out the largest graph of the group that has begun, with its queries if they are observed: llama-retain-read.cpp. Otherwise
    // the scheduler would do so anew for every batch, as each is larger than the one before, and wait for the device to come to
    // rest each time. Once for each group. false: no memory
    static bool lay_out(llama_context * ctx);

    // Where the first layer lies on a device and the embeddings of all tokens in the host's memory, room for those of two batches, if
    // there is memory: llama-retain-embeddings.cpp
    static void hold_embd(llama_context * ctx, llama_retain_reading & reading, ggml_backend_buffer_type_t buft);

    // When only the last layer is left, of which one batch attends, smaller parts of the mask cost nothing, and memory is at its peak:
    // llama-retain-read.cpp. Once the layer before is read. false: no memory
    static bool spare_mask(llama_context * ctx);

    //
    // what one file alone does, beside the public functions that call it
    //

    struct measuring; // llama-retain-storage.cpp
    struct reserving; // llama-retain-cells.cpp
    struct reading;   // llama-retain-read.cpp
    struct observing; // llama-retain-observe.cpp
    struct expecting; // llama-retain-expected.cpp
    struct making;    // llama-retain-ahead.cpp
    struct saving;    // llama-retain-saved.cpp
    struct lending;   // llama-retain-whole.cpp
};
