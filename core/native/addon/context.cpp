#include "context-parts.h"
#include "job.h"

#include "ggml-cpu.h"

#include <algorithm>
#include <numeric>
#include <thread>

#if defined(__linux__)
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif
#if defined(__GLIBC__)
#include <malloc.h>
#endif

// glibc keeps freed blocks of a few MiB; the point of retention is that they go back
void return_memory() {
#if defined(__GLIBC__)
    malloc_trim(0);
#endif
}

Context::Context(const std::string & model_path, std::vector<llama_token> prompt, uint32_t window, const Options & options) :
    tokens(std::move(prompt)), window(window), options(options) {
    llama_model * found = llama_retain_find_model(model_path.c_str());
    if (!found) {
        throw Failure("model-missing", "the model is not loaded in this process");
    }
    if (const char * reason = options.grouped ? llama_retain_refusal(found) : nullptr) {
        throw Failure("model-unsupported", reason);
    }
    if (tokens.empty() || window == 0 || window > tokens.size()) {
        throw Failure("failed", "the observation window must lie inside the prompt");
    }
    model   = found;
    n_layer = llama_model_n_layer(model);
    n_rows  = tokens.size();

    llama_context_params params = llama_context_default_params();
    // a sliding-window cache is sized by the context, and must not fill up while writing
    params.n_ctx           = tokens.size() + std::max<uint32_t>(options.room, llama_model_n_swa(model));
    params.n_batch         = options.batch;
    params.n_ubatch        = options.batch;
    params.n_outputs_max   = 1;
    params.n_threads       = options.threads;
    params.n_threads_batch = options.threads;
    params.type_k          = options.kv_type;
    params.type_v          = options.kv_type;
    params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_AUTO;
    params.no_perf         = true;
    params.abort_callback      = [](void * self) { return static_cast<Context *>(self)->aborted.load(); };
    params.abort_callback_data = this;

    ctx.reset(options.grouped ? llama_retain_init(found, params, options.observed, window) : llama_init_from_model(found, params));
    if (!ctx) {
        throw Failure("out-of-memory", "the buffers for computing could not be allocated");
    }
    start_threads();
    if (options.grouped && !llama_retain_flash_attn(ctx.get())) {
        throw Failure("model-unsupported", "flash attention is not available for it on this device");
    }
    if (!options.whole.empty()) {
        open_whole(params);
    }
}

// Who computes gives way to the window, which must answer meanwhile. On Linux the calling thread and those that it starts do
// so by their nice value: of ggml's priorities the lower one makes no difference to a thread that never sleeps. A thread of
// the pool that jobs run on stays so; what else it does is no more urgent
void give_way() {
#if defined(__linux__)
    thread_local const int done = setpriority(PRIO_PROCESS, (id_t) syscall(SYS_gettid), 7);
    (void) done;
#endif
}

// Without threads of its own a context starts new ones for every batch of every group and for every token. They do not
// poll: whoever else computes on this machine needs the cores while the next token is chosen
void Context::start_threads() {
    ggml_backend_dev_t cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    ggml_backend_reg_t reg = cpu ? ggml_backend_dev_backend_reg(cpu) : nullptr;
    const auto address = [&](const char * name) { return reg ? ggml_backend_reg_get_proc_address(reg, name) : nullptr; };
    const auto start = (decltype(&ggml_threadpool_new))  address("ggml_threadpool_new");
    const auto stop  = (decltype(&ggml_threadpool_free)) address("ggml_threadpool_free");
    if (start && stop) {
        ggml_threadpool_params params = ggml_threadpool_params_default(options.threads);
        params.poll = 0;
        params.prio = GGML_SCHED_PRIO_LOW;
        std::thread([&] {
            give_way();
            pool.reset(start(&params), stop);
        }).join();
        llama_attach_threadpool(ctx.get(), pool.get(), pool.get());
    }
}

void Context::check(int status, const char * what) const {
    if (aborted || status == 2) {
        throw Failure("cancelled", "cancelled");
    }
    if (status == -2) {
        throw Failure("out-of-memory", std::string(what) + ": a buffer could not be allocated");
    }
    if (status != 0) {
        throw Failure("failed", std::string(what) + " failed with status " + std::to_string(status));
    }
}

void Context::count_peak() {
    peak    = std::max(peak,    llama_retain_peak_bytes(ctx.get()) + held);
    compute = std::max(compute, compute_bytes());
}

// What was observed of a layer, [query heads][n].
static std::vector<float> observed_of(llama_context * ctx, uint32_t layer, uint32_t what, uint32_t n_head, uint32_t n) {
    uint32_t n_cells = 0;
    const float * all = llama_retain_observed(ctx, layer, what, &n_cells);
    if (!all) {
        throw Failure("failed", "a layer returned no scores");
    }
    std::vector<float> values;
    for (uint32_t h = 0; h < n_head; ++h) {
        values.insert(values.end(), all + size_t(h)*n_cells, all + size_t(h)*n_cells + n);
    }
    return values;
}

// Batches of which the queries' mean and covariance are taken: some 500 queries of every head, every fourth, tell them well enough
static const uint32_t n_query_batches = 4;

// Positions after the prompt over which Expected Attention averages (arXiv 2510.00636: 512).
static const uint32_t n_future = 512;

std::vector<Context::Observed> Context::read(uint32_t begin, uint32_t end, const Wanted & wanted, bool plain) {
    const uint32_t n_before = n_rows - window;
    const uint32_t n_head   = llama_model_n_head(model);
    const uint32_t n_group  = n_head/llama_model_n_head_kv(model);
    const bool     last     = end == n_layer;

    if (begin >= end || end > n_layer || (begin > 0 && held == 0)) {
        throw Failure("failed", "layers must be read in order");
    }
    if (begin == 0 && !last) {
        held = llama_retain_hold(ctx.get(), options.hidden_f16 ? GGML_TYPE_F16 : GGML_TYPE_F32, tokens.size());
        if (held == 0) {
            throw Failure("out-of-memory", "the hidden states between two groups of layers could not be allocated");
        }
    }
    if (options.grouped) {
        if (!llama_retain_begin(ctx.get(), begin, end, n_rows, plain)) {
            throw Failure("out-of-memory", "the KV cache of a layer group could not be allocated");
        }
        count_peak();
    }

    std::vector<uint32_t> full;
    for (uint32_t il = begin; il < end; ++il) {
        if (!llama_retain_is_sliding(model, il)) {
            full.push_back(il);
        }
    }
    give_way();
    const bool scored = wanted.reduction != Reduction::none;
    const uint32_t what = (scored ? LLAMA_RETAIN_SUMS : 0) | (wanted.variances ? LLAMA_RETAIN_SQUARES : 0) |
        (wanted.entropy ? LLAMA_RETAIN_ENTROPY : 0) | (wanted.expected_logits ? LLAMA_RETAIN_QUERIES : 0);
    std::vector<Observed> observed(full.size());

    const uint32_t batch = options.batch;
    std::vector<llama_pos>      pos(batch);
    std::vector<int32_t>        n_seq_id(batch, 1);
    llama_seq_id                seq = 0;
    std::vector<llama_seq_id *> seq_id(batch, &seq);
    std::vector<int8_t>         output(batch, 0);

    // how a document's queries are distributed, some batches from all over it show
    const uint32_t n_batches = (n_rows + batch - 1)/batch;
    const uint32_t n_stride  = (n_batches + n_query_batches - 1)/n_query_batches;

    for (uint32_t start = 0; start < n_rows; start += batch) {
        const uint32_t n    = std::min(batch, n_rows - start);
        const uint32_t stop = start + n;
        const uint32_t rows = !scored || stop <= n_before ? 0 : stop - std::max(start, n_before);

        for (uint32_t i = 0; i < n; ++i) {
            pos[i] = start + i;
        }
        output[n - 1] = last && stop == n_rows;

        llama_batch part = {};
        part.n_tokens = n;
        part.token    = tokens.data() + start; // counts in the first group only, which reads all of them
        part.pos      = pos.data();
        part.n_seq_id = n_seq_id.data();
        part.seq_id   = seq_id.data();
        part.logits   = output.data();

        if (options.grouped) {
            const bool asked = start/batch%n_stride == 0;
            if (!llama_retain_observe(ctx.get(), asked ? what : what & ~LLAMA_RETAIN_QUERIES, rows)) {
                throw Failure("out-of-memory", "room for what is observed of a layer could not be allocated");
            }
        }
        check(llama_decode(ctx.get(), part), "reading");
        if (wanted.expected_logits && start/batch == (n_batches - 1)/n_stride*n_stride) {
            llama_retain_expect(ctx.get(), tokens.size(), n_future); // all queries that are asked for are on their way
        }

        done = done + double(n)*(end - begin);
    }
    if (options.grouped) {
        llama_retain_ahead(ctx.get(), n_before, wanted.value_norms);
    } else {
        llama_synchronize(ctx.get());
    }
    check(0, "reading");

    if (last) {
        if (held > 0) {
            llama_retain_hold(ctx.get(), GGML_TYPE_F32, 0);
            held = 0;
        }
        n_past = tokens.size();
    }

    for (size_t l = 0; l < full.size(); ++l) {
        const auto of_layer = [&](uint32_t of) { return observed_of(ctx.get(), full[l], of, n_head, n_before); };
        if (scored) {
            const auto sums = of_layer(LLAMA_RETAIN_SUMS);
            observed[l].scores = reduce(n_head, n_group, n_before, wanted.reduction, [&](size_t i) { return sums[i]; });
            if (wanted.variances) {
                // rounding must not make it negative
                const auto squares = of_layer(LLAMA_RETAIN_SQUARES);
                observed[l].variances = reduce(n_head, n_group, n_before, wanted.reduction, [&](size_t i) {
                    return window > 1 ? std::max(0.0f, (squares[i] - sums[i]*sums[i]/window)/(window - 1)) : 0.0f;
                });
            }
            if (wanted.entropy) {
                const auto terms = of_layer(LLAMA_RETAIN_ENTROPY);
                observed[l].entropy = -std::accumulate(terms.begin(), terms.end(), 0.0);
            }
        }
        observe_rest(full[l], wanted, observed[l]);
        if (whole && !llama_retain_put(ctx.get(), full[l], n_rows, whole->ctx.get())) {
            throw Failure("failed", "a layer has nothing for the whole cache");
        }
    }
    if (has_whole()) {
        whole->file->release();
    }
    if (options.grouped) {
        llama_retain_forget(ctx.get());
        count_peak();
    }
    return observed;
}

// What does not come from the window's attention.
void Context::observe_rest(uint32_t layer, const Wanted & wanted, Observed & observed) const {
    const uint32_t n_before = n_rows - window;
    const uint32_t n_kv     = llama_model_n_head_kv(model);
    bool known = true;
    if (wanted.keys) {
        observed.keys.resize(size_t(n_kv)*n_before*llama_retain_keys(ctx.get(), layer, n_before, nullptr));
        known = llama_retain_keys(ctx.get(), layer, n_before, observed.keys.data()) > 0;
    }
    if (wanted.value_norms) {
        observed.value_norms.resize(size_t(n_kv)*n_before);
        known = known && llama_retain_value_norms(ctx.get(), layer, n_before, observed.value_norms.data());
    }
    if (!known) {
        throw Failure("failed", "a layer has no keys and values to look at");
    }
    if (wanted.expected_logits) {
        observed.expected_logits.resize(size_t(llama_model_n_head(model))*n_before);
        if (n_before > LLAMA_RETAIN_OUTLIERS &&
            !llama_retain_expected(ctx.get(), layer, n_before, tokens.size(), n_future, observed.expected_logits.data())) {
            throw Failure("out-of-memory", "what a layer's queries can be expected to look at could not be computed");
        }
    }
}

void Context::pass(const std::vector<uint32_t> & positions) {
    if (whole) {
        throw Failure("failed", "what is not read by all layers has no whole cache");
    }
    std::vector<uint32_t> all = positions;
    for (uint32_t i = tokens.size() - window; i < tokens.size(); ++i) {
        all.push_back(i);
    }
    if (!llama_retain_pass(ctx.get(), all.data(), all.size())) {
        throw Failure("failed", "what is to go on to later layers has not gone through the ones before");
    }
    n_rows = all.size();
}

void Context::keep_each(const std::vector<Keep> & layers, const std::function<llama_retain_outcome(const Keep &)> & keep_layer) {
    for (const auto & layer : layers) {
        if (aborted) {
            throw Failure("cancelled", "cancelled");
        }
        if (layer.counts.size() != uint32_t(llama_model_n_head_kv(model))) {
            throw Failure("failed", "a retention plan has the wrong shape");
        }
        const auto outcome = keep_layer(layer);
        if (outcome == LLAMA_RETAIN_NOT_HELD) {
            throw Failure("failed", "layer " + std::to_string(layer.layer) + " does not hold what it is to keep");
        }
        if (outcome == LLAMA_RETAIN_NO_MEMORY) {
            throw Failure("out-of-memory", "what layer " + std::to_string(layer.layer) + " keeps could not be allocated");
        }
    }
}

// Storage given back that is worth a walk through the whole heap, which takes some milliseconds
static const size_t n_worth_returning = 4 << 20;

void Context::keep(const std::vector<Keep> & layers) {
    const auto held_by_all = [&] {
        return std::accumulate(layers.begin(), layers.end(), size_t(0), [&](size_t sum, const Keep & layer) { return sum + layer_bytes(layer.layer); });
    };
    given_back += held_by_all();
    keep_each(layers, [&](const Keep & layer) {
        return llama_retain_keep(ctx.get(), layer.layer, layer.positions.data(), layer.counts.data(), tokens.size(), window);
    });
    given_back -= held_by_all();
    retained = true;
    count_peak();
    if (given_back > n_worth_returning) {
        return_memory();
        given_back = 0;
    }
}

void Context::finish() {
    if (retained && !llama_retain_finish(ctx.get(), tokens.size(), window)) {
        throw Failure("failed", "a layer was read but not retained");
    }
    if (whole) {
        if (!llama_retain_lent(whole->ctx.get(), ctx.get(), tokens.size())) {
            throw Failure("failed", "the whole cache does not hold the document");
        }
        whole->n_past = tokens.size();
        whole->logits = logits();
    }
    return_memory();
}

Context::LayerState Context::state(uint32_t layer) const {
    const bool sliding = llama_retain_is_sliding(model, layer);
    if (layer >= n_layer || !retained || n_past != tokens.size()) {
        throw Failure("failed", "only a context that was just read can be saved");
    }
    const uint32_t n_cells = sliding ? llama_retain_get_cells(ctx.get(), true, nullptr) : window;

    LayerState state;
    for (int32_t h = 0; !sliding && h < llama_model_n_head_kv(model); ++h) {
        const size_t n_before = state.positions.size();
        state.kept.push_back(llama_retain_kept(ctx.get(), layer, h, nullptr));
        state.positions.resize(n_before + state.kept.back());
        llama_retain_kept(ctx.get(), layer, h, state.positions.data() + n_before);
    }
    state.rows.resize(llama_retain_get_layer(ctx.get(), layer, n_cells, nullptr));
    llama_retain_get_layer(ctx.get(), layer, n_cells, state.rows.data());
    return state;
}

std::vector<int32_t> Context::sliding_cells() const {
    std::vector<int32_t> positions(llama_retain_get_cells(ctx.get(), true, nullptr));
    llama_retain_get_cells(ctx.get(), true, positions.data());
    return positions;
}

void Context::restore(uint32_t layer, const LayerState & state, uint32_t n_window, bool with_window) {
    const bool sliding = layer < n_layer && llama_retain_is_sliding(model, layer);
    if (layer >= n_layer || state.kept.size() != size_t(sliding ? 0 : llama_model_n_head_kv(model)) ||
        state.positions.size() != std::accumulate(state.kept.begin(), state.kept.end(), size_t(0)) ||
        !llama_retain_set_layer(ctx.get(), layer, state.positions.data(), state.kept.data(), tokens.size() - window, state.rows.data(),
            state.rows.size(), sliding ? llama_retain_get_cells(ctx.get(), true, nullptr) : n_window, with_window ? n_window : 0)) {
        throw Failure("failed", "layer " + std::to_string(layer) + " does not fit this model and prompt");
    }
    retained = true;
    count_peak();
}

void Context::resume(const std::vector<int32_t> & sliding, std::vector<float> saved_logits) {
    const uint32_t n_vocab  = llama_vocab_n_tokens(llama_model_get_vocab(model));
    const uint32_t n_before = tokens.size() - window;
    const bool     whole    = !saved_logits.empty();
    if (whole && saved_logits.size() != n_vocab) {
        throw Failure("failed", "the saved logits are another model's");
    }
    if (!llama_retain_set_cells(ctx.get(), n_before, whole ? window : 0, sliding.data(), sliding.size())) {
        throw Failure("failed", "the saved layers do not make up a whole cache");
    }
    resumed = std::move(saved_logits);
    n_past  = whole ? tokens.size() : n_before;
    for (uint32_t at = n_past; at < tokens.size(); at += options.batch) {
        decode(tokens.data() + at, std::min<uint32_t>(options.batch, tokens.size() - at));
    }
    done = double(tokens.size())*n_layer;
}

size_t Context::layer_bytes(uint32_t layer) const {
    return options.grouped && layer < n_layer ? llama_retain_layer_bytes(ctx.get(), layer) : 0;
}

size_t Context::memory_bytes() const {
    return llama_retain_memory_bytes(ctx.get());
}

size_t Context::compute_bytes() const {
    return std::max(compute, llama_retain_compute_bytes(ctx.get()) + (whole ? llama_retain_compute_bytes(whole->ctx.get()) : 0));
}

size_t Context::peak_bytes() const {
    return options.grouped ? std::max(peak, llama_retain_peak_bytes(ctx.get())) : memory_bytes();
}
