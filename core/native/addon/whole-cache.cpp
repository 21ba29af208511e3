// The whole KV cache beside the compressed one: a second llama_context whose K and V lie in a mapped file.

#include "context-parts.h"
#include "job.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <tuple>

// Tokens that are read on the whole cache at once: as many as CPU flash attention computes together.
static const uint32_t n_check = 64;

// Tokens of a draft that is checked, at most: each has a row of logits.
static const uint32_t n_draft = 8;

// Tokens of other questions and their answers that a file that is kept has room for.
static const uint32_t n_more = 1024;

// what stands at the end of a whole cache's file that is kept
struct Seal {
    static constexpr char name[] = "PRECISW2";
    uint8_t  identity[32];
    uint64_t checksum;
    uint32_t n_cells;
    uint32_t n_before;
    char     magic[8]; // last: a file that was not finished has none
};

void Context::open_whole(const llama_context_params & like) {
    llama_context_params params = like;
    // sliding layers' caches are as large as a batch wants, and theirs are copied
    params.n_batch = params.n_ubatch = llama_model_n_swa(model) > 0 ? like.n_batch : n_check;
    params.n_outputs_max = n_draft;
    whole = std::make_unique<Whole>();
    whole->ctx.reset(llama_retain_init(const_cast<llama_model *>(model), params, n_layer, n_check));
    if (!whole->ctx) {
        throw Failure("out-of-memory", "the buffers for computing on the whole cache could not be allocated");
    }
    llama_attach_threadpool(whole->ctx.get(), pool.get(), pool.get());
    if (options.whole_is == Options::existing) {
        whole->file = std::make_unique<MappedFile>(options.whole);
        return; // how many cells it has stands in it
    }
    // another question and its answer may be longer
    const uint32_t n_more_here = options.whole_is == Options::named ? n_more : 0;
    whole->n_cells = GGML_PAD(tokens.size() + options.room + n_check + n_more_here, n_cells_step);
    const size_t size = llama_retain_lend_size(whole->ctx.get(), whole->n_cells);
    whole->file = std::make_unique<MappedFile>(options.whole, size + sizeof(Seal), options.whole_is == Options::named);
    if (!llama_retain_lend(whole->ctx.get(), whole->file->data(), size, whole->n_cells)) {
        throw Failure("out-of-memory", "the whole cache could not be set up");
    }
}

// 64 bits that tell whether the rows before the window are those that were read: eight lanes of multiply and rotate
uint64_t Context::checksum_of_whole() const {
    uint64_t lanes[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    const uint32_t n_before = tokens.size() - window;
    for (uint32_t il = 0; il < n_layer; ++il) {
        for (const bool values : { false, true }) {
            size_t n_bytes = 0;
            const auto * rows = (const uint8_t *) llama_retain_lent_rows(whole->ctx.get(), il, values, n_before, &n_bytes);
            for (size_t at = 0; rows && at + sizeof(lanes) <= n_bytes; at += sizeof(lanes)) {
                uint64_t words[8];
                memcpy(words, rows + at, sizeof(words));
                for (int i = 0; i < 8; ++i) {
                    const uint64_t mixed = (lanes[i] ^ words[i])*0x9E3779B97F4A7C15ull;
                    lanes[i] = (mixed << 29) | (mixed >> 35);
                }
            }
        }
    }
    return std::accumulate(lanes, lanes + 8, uint64_t(0), [](uint64_t sum, uint64_t lane) { return (sum ^ lane)*0xD6E8FEB86659FD93ull; });
}

void Context::seal(const std::vector<uint8_t> & identity) {
    if (!whole || options.whole_is != Options::named || identity.size() != sizeof(Seal::identity)) {
        throw Failure("failed", "there is no whole cache to keep");
    }
    Seal seal = {};
    seal.n_cells  = whole->n_cells;
    seal.n_before = tokens.size() - window;
    seal.checksum = checksum_of_whole();
    std::copy(identity.begin(), identity.end(), seal.identity);
    memcpy(seal.magic, Seal::name, sizeof(seal.magic));
    memcpy((uint8_t *) whole->file->data() + whole->file->size() - sizeof(seal), &seal, sizeof(seal));
    whole->file->name();
    settle_whole();
}

// the file keeps what stands before the window, and nothing that is read on it from now on
void Context::settle_whole() {
    const uint32_t n_before = tokens.size() - window;
    std::vector<MappedFile::Stretch> stretches;
    for (uint32_t il = 0; il < n_layer; ++il) {
        for (const bool values : { false, true }) {
            const auto end_of = [&](uint32_t n_rows) {
                size_t n_bytes = 0;
                const auto * rows = (const uint8_t *) llama_retain_lent_rows(whole->ctx.get(), il, values, n_rows, &n_bytes);
                return rows ? size_t(rows - (const uint8_t *) whole->file->data()) + n_bytes : 0;
            };
            if (const size_t end = end_of(whole->n_cells)) {
                stretches.push_back({ end_of(n_before), end_of(whole->n_past), GGML_PAD(end, LLAMA_RETAIN_LENT_ALIGN) });
            }
        }
    }
    whole->file->settle(stretches);
}

// false: the file was lost meanwhile, and the whole cache is no more
bool Context::try_whole(const std::function<void()> & work) {
    try {
        work();
        return true;
    } catch (const Lost &) {
        whole.reset();
        return false;
    }
}

bool Context::has_whole() {
    if (whole && !whole->file->holds()) {
        whole.reset();
    }
    return whole != nullptr;
}

void Context::take_whole(const std::vector<uint8_t> & identity) {
    const uint32_t n_before = tokens.size() - window;
    Seal seal = {};
    if (whole->file->size() > sizeof(seal)) {
        memcpy(&seal, (const uint8_t *) whole->file->data() + whole->file->size() - sizeof(seal), sizeof(seal));
    }
    if (memcmp(seal.magic, Seal::name, sizeof(seal.magic)) != 0) {
        throw Failure("refused", "it is not whole");
    }
    if (identity.size() != sizeof(seal.identity) || memcmp(seal.identity, identity.data(), identity.size()) != 0 || seal.n_before != n_before) {
        throw Failure("refused", "it is of another document, model or setting");
    }
    whole->n_cells = seal.n_cells;
    const size_t size = whole->file->size() - sizeof(seal);
    if (size != llama_retain_lend_size(whole->ctx.get(), seal.n_cells)) {
        throw Failure("refused", "it is cut short");
    }
    if (tokens.size() + options.room + n_check > seal.n_cells) {
        throw Failure("refused", "it has no room for this question and its answer");
    }
    if (!llama_retain_lend(whole->ctx.get(), whole->file->data(), size, seal.n_cells) || !llama_retain_lent(whole->ctx.get(), nullptr, n_before)) {
        throw Failure("refused", "its model has sliding layers");
    }
    if (checksum_of_whole() != seal.checksum) {
        throw Failure("refused", "it is damaged");
    }
    whole->n_past = n_before;
    settle_whole();
    while (whole->n_past < tokens.size()) {
        // what is left over comes first, so that the last batch is as long as it can be
        const uint32_t n_left = tokens.size() - whole->n_past;
        const uint32_t n = n_left%n_check > 0 ? n_left%n_check : n_check;
        read_whole(tokens.data() + whole->n_past, n, n == n_left, false);
    }
    n_past = n_before;
}

// has the whole cache read what was written on the compressed one alone
void Context::catch_up_whole() {
    for (uint32_t end = tokens.size() + written.size(); whole->n_past < end; ) {
        read_whole(written.data() + (whole->n_past - tokens.size()), std::min(n_check, end - whole->n_past), false, false);
    }
}

// the next tokens on the whole cache; logits after the last, or after each
void Context::read_whole(const llama_token * list, uint32_t n, bool observe, bool all_logits) {
    std::vector<llama_pos> pos(n);
    std::vector<int8_t>    output(n, all_logits);
    output[n - 1] = 1;
    std::iota(pos.begin(), pos.end(), whole->n_past);
    llama_batch part = {};
    part.n_tokens = n;
    part.token    = const_cast<llama_token *>(list);
    part.pos      = pos.data();
    part.logits   = output.data();
    llama_retain_forget(whole->ctx.get());
    if (observe && !llama_retain_observe(whole->ctx.get(), LLAMA_RETAIN_SUMS, n)) {
        throw Failure("out-of-memory", "room for what a draft looks at could not be allocated");
    }
    check(llama_decode(whole->ctx.get(), part), "reading on the whole cache");
    if (!whole->file->holds()) {
        throw Lost();
    }
    whole->n_past += n;
    take_logits(n - 1);
}

void Context::take_logits(uint32_t i) {
    const float * row = llama_get_logits_ith(whole->ctx.get(), i);
    whole->logits.assign(row, row + llama_vocab_n_tokens(llama_model_get_vocab(model)));
}

bool Context::write_checked(const Sampling & s, uint32_t max_tokens, uint32_t stretch, uint32_t draft, bool go_on,
        uint32_t & n_drafted, uint32_t & n_written, const OnText & on_text) {
    const llama_vocab * vocab = llama_model_get_vocab(model);
    if (!whole) {
        throw Failure("failed", "there is no whole cache");
    }
    begin_writing(s, go_on);
    n_written = n_drafted = 0;
    if (!next) {
        if (!try_whole([&] { catch_up_whole(); })) {
            return false;
        }
        next = sample(sampler.get(), whole->logits);
    }
    while (n_written < std::min(stretch, max_tokens) && !llama_vocab_is_eog(vocab, *next)) {
        const uint32_t start  = tokens.size() + written.size();
        const uint32_t n_most = std::min({ std::max(draft, 1u), n_draft, max_tokens - n_written });
        if (n_most > 1) {
            // the first token is known; a copy of the sampler, with its chances and what it has seen, goes on from it
            catch_up();
            std::unique_ptr<llama_sampler, decltype(&llama_sampler_free)> ahead(llama_sampler_clone(sampler.get()), llama_sampler_free);
            llama_token token = *next;
            for (uint32_t n = 0; n < n_most && !llama_vocab_is_eog(vocab, token); ++n) {
                written.push_back(token);
                // the last of them is not read here before it holds
                if (n + 1 < n_most) {
                    decode(&token, 1);
                    token = llama_sampler_sample(ahead.get(), ctx.get(), -1);
                }
            }
        } else {
            written.push_back(*next);
        }
        const llama_token * first = written.data() + (start - tokens.size());
        const uint32_t n = written.size() - (start - tokens.size());

        if (!try_whole([&] { read_whole(first, n, false, true); })) {
            forget(start); // none of them is sure
            return false;
        }

        uint32_t n_held = 0;
        do {
            emit(first[n_held], on_text);
            take_logits(n_held);
            next = sample(sampler.get(), whole->logits);
            ++n_held;
        } while (n_held < n && *next == first[n_held]);
        forget(start + n_held);
        n_drafted += n;
        n_written += n_held;
    }
    whole->file->release();
    if (llama_vocab_is_eog(vocab, *next)) {
        on_text(pending);
        return true;
    }
    return false;
}

uint32_t Context::look_ahead(const Sampling & s, uint32_t n) {
    if (!whole) {
        throw Failure("failed", "there is no whole cache");
    }
    begin_writing(s, true);
    // the disk's time passes while the draft is written on what is kept
    whole->file->prefetch();
    if (!try_whole([&] { catch_up_whole(); })) {
        return 0;
    }
    catch_up();
    const uint32_t start = tokens.size() + written.size();
    const auto before = std::make_tuple(logits(), next, pending);
    const auto logits_of_whole = whole->logits;
    const auto chances = sampler;
    sampler = std::shared_ptr<llama_sampler>(llama_sampler_clone(chances.get()), llama_sampler_free);

    uint32_t n_written = 0;
    write(s, std::min(n, n_check), true, n_written, [](const std::string &) {});
    const bool known = n_written == 0 || try_whole([&] {
        read_whole(written.data() + (start - tokens.size()), n_written, true, false);
    });
    forget(start);
    std::tie(resumed, next, pending) = before;
    sampler = chances;
    if (!known) {
        return 0;
    }
    whole->logits = logits_of_whole;
    return n_written;
}

std::vector<float> Context::looked_at(uint32_t layer, Reduction reduction) const {
    uint32_t n_cells = 0;
    const float * sums = whole ? llama_retain_observed(whole->ctx.get(), layer, LLAMA_RETAIN_SUMS, &n_cells) : nullptr;
    const uint32_t n_before = tokens.size() - window;
    const uint32_t n_head   = llama_model_n_head(model);
    if (!sums || n_before == 0) {
        return {};
    }
    return reduce(n_head, n_head/llama_model_n_head_kv(model), n_before, reduction, [&](size_t i) {
        return sums[i/n_before*n_cells + i%n_before];
    });
}

std::vector<float> Context::value_norms(uint32_t layer) const {
    const uint32_t n_before = tokens.size() - window;
    std::vector<float> norms(size_t(llama_model_n_head_kv(model))*n_before);
    if (!whole || !llama_retain_value_norms(whole->ctx.get(), layer, n_before, norms.data())) {
        throw Failure("failed", "there is no whole cache");
    }
    return norms;
}

void Context::refill(const std::vector<Keep> & layers) {
    if (!whole) {
        throw Failure("failed", "there is no whole cache");
    }
    if (!retained) {
        // of a file that was just taken up nothing is kept that could stay
        return refill_each(layers);
    }
    // layers that are not filled any more, if the file is lost meanwhile, hold the same tokens as those that are; and
    // sliding layers are not filled from the whole cache
    catch_up();
    try_whole([&] { refill_each(layers); });
}

void Context::refill_each(const std::vector<Keep> & layers) {
    catch_up_whole();
    const uint32_t n_before = tokens.size() - window;
    const uint32_t n_end    = tokens.size() + written.size();
    const uint32_t n_cells  = std::max(n_end - n_before, retained ? llama_retain_n_cells(ctx.get()) : 0);
    const auto holds = [](void * self) { return static_cast<Context *>(self)->whole->file->holds(); };
    keep_each(layers, [&](const Keep & layer) {
        const auto outcome = llama_retain_refill(ctx.get(), layer.layer, layer.positions.data(), layer.counts.data(), whole->ctx.get(),
            n_before, n_end, n_cells, holds, this);
        if (outcome != LLAMA_RETAIN_KEPT && !holds(this)) {
            throw Lost();
        }
        return outcome;
    });
    if (!llama_retain_refilled(ctx.get(), n_before, n_end, n_cells)) {
        throw Failure("failed", "a layer was not filled anew");
    }
    n_past  = n_end;
    resumed = whole->logits;
    retained = true;
    whole->file->release();
    count_peak();
    return_memory();
}

std::vector<float> Context::feed_whole(const std::vector<llama_token> & following) {
    if (!whole) {
        throw Failure("failed", "there is no whole cache");
    }
    std::vector<float> all;
    for (const llama_token token : following) {
        written.push_back(token);
        catch_up_whole();
        all.insert(all.end(), whole->logits.begin(), whole->logits.end());
    }
    return all;
}
