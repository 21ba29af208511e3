// Models with random q4_0 weights of real models' shapes: made, and loaded
#include "gpu-bench.h"

#include "llama-model.h"

#include "gguf.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <random>

struct Shape {
    const char * name;
    const char * architecture;
    uint32_t layers, embedding, feed_forward, query_heads, kv_heads, head_size, vocabulary;
    bool     tied; // the output matrix is the token embeddings
};

static const Shape shapes[] = {
    { "tiny",         "llama",  4,  256,   512,  8, 2,  64,   4096, false },
    { "llama-3.2-1b", "llama", 16, 2048,  8192, 32, 8,  64, 128256, true  },
    { "qwen3-4b",     "qwen3", 36, 2560,  9728, 32, 8, 128, 151936, true  },
    { "llama-3.1-8b", "llama", 32, 4096, 14336, 32, 8, 128, 128256, false },
};

void make(const std::string & name, const char * path) {
    const auto * shape = std::find_if(std::begin(shapes), std::end(shapes), [&](const Shape & s) { return name == s.name; });
    must(shape != std::end(shapes), "no such shape");
    const std::string arch = shape->architecture;

    std::unique_ptr<gguf_context, decltype(&gguf_free)> file(gguf_init_empty(), gguf_free);
    auto * g = file.get();
    gguf_set_val_str(g, "general.architecture", arch.c_str());
    gguf_set_val_str(g, "general.name", (std::string("random ") + shape->name).c_str());
    const auto number = [&](const char * key, uint32_t value) { gguf_set_val_u32(g, (arch + "." + key).c_str(), value); };
    number("block_count", shape->layers);
    number("context_length", 131072 + 4096);
    number("embedding_length", shape->embedding);
    number("feed_forward_length", shape->feed_forward);
    number("attention.head_count", shape->query_heads);
    number("attention.head_count_kv", shape->kv_heads);
    number("attention.key_length", shape->head_size);
    number("attention.value_length", shape->head_size);
    number("rope.dimension_count", shape->head_size);
    number("vocab_size", shape->vocabulary);
    gguf_set_val_f32(g, (arch + ".attention.layer_norm_rms_epsilon").c_str(), 1e-5f);
    gguf_set_val_f32(g, (arch + ".rope.freq_base").c_str(), 500000.0f);

    // a vocabulary of bytes and made-up words
    std::vector<std::string> words = { "<unk>", "<s>", "</s>" };
    char word[16];
    for (int byte = 0; byte < 256; ++byte) {
        snprintf(word, sizeof(word), "<0x%02X>", byte);
        words.push_back(word);
    }
    while (words.size() < shape->vocabulary) {
        words.push_back("\xE2\x96\x81x" + std::to_string(words.size()));
    }
    std::vector<const char *> tokens;
    std::vector<float>        scores;
    std::vector<int32_t>      types;
    for (size_t i = 0; i < words.size(); ++i) {
        tokens.push_back(words[i].c_str());
        scores.push_back(-float(i));
        types.push_back(i == 0 ? 2 : i < 3 ? 3 : i < 259 ? 6 : 1);
    }
    gguf_set_val_str (g, "tokenizer.ggml.model", "llama");
    gguf_set_arr_str (g, "tokenizer.ggml.tokens", tokens.data(), tokens.size());
    gguf_set_arr_data(g, "tokenizer.ggml.scores", GGUF_TYPE_FLOAT32, scores.data(), scores.size());
    gguf_set_arr_data(g, "tokenizer.ggml.token_type", GGUF_TYPE_INT32, types.data(), types.size());
    gguf_set_val_u32 (g, "tokenizer.ggml.bos_token_id", 1);
    gguf_set_val_u32 (g, "tokenizer.ggml.eos_token_id", 2);

    ggml_init_params params = { (size_t(shape->layers)*16 + 8)*ggml_tensor_overhead(), nullptr, true };
    std::unique_ptr<ggml_context, decltype(&ggml_free)> ctx(ggml_init(params), ggml_free);
    std::vector<ggml_tensor *> tensors;
    const auto add = [&](ggml_tensor * t, const std::string & tensor) {
        ggml_set_name(t, (tensor + ".weight").c_str());
        gguf_add_tensor(g, t);
        tensors.push_back(t);
    };
    const auto matrix = [&](const std::string & tensor, int64_t in, int64_t out) { add(ggml_new_tensor_2d(ctx.get(), GGML_TYPE_Q4_0, in, out), tensor); };
    const auto norm   = [&](const std::string & tensor, int64_t n) { add(ggml_new_tensor_1d(ctx.get(), GGML_TYPE_F32, n), tensor); };
    const int64_t n = shape->embedding, q = shape->query_heads*shape->head_size, kv = shape->kv_heads*shape->head_size;
    matrix("token_embd", n, shape->vocabulary);
    norm("output_norm", n);
    if (!shape->tied) {
        matrix("output", n, shape->vocabulary);
    }
    for (uint32_t il = 0; il < shape->layers; ++il) {
        const std::string at = "blk." + std::to_string(il) + ".";
        norm(at + "attn_norm", n);
        norm(at + "ffn_norm", n);
        matrix(at + "attn_q", n, q);
        matrix(at + "attn_k", n, kv);
        matrix(at + "attn_v", n, kv);
        matrix(at + "attn_output", q, n);
        matrix(at + "ffn_gate", n, shape->feed_forward);
        matrix(at + "ffn_up", n, shape->feed_forward);
        matrix(at + "ffn_down", shape->feed_forward, n);
        if (arch == "qwen3") {
            norm(at + "attn_q_norm", shape->head_size);
            norm(at + "attn_k_norm", shape->head_size);
        }
    }
    must(gguf_write_to_file(g, path, true), "the header could not be written");

    // 64 MiB of random nibbles, read from another place for each tensor; its length shares no factor with a row's
    std::mt19937_64 random(1);
    std::vector<uint64_t> noise((64 << 20)/8 + 13);
    for (auto & value : noise) {
        value = random();
    }
    FILE * out = fopen(path, "ab");
    must(out, "the model could not be opened");
    const auto * bytes = (const uint8_t *) noise.data();
    const size_t n_bytes = noise.size()*8;
    std::vector<uint8_t> data;
    for (const auto * t : tensors) {
        const size_t size = ggml_nbytes(t);
        data.assign(GGML_PAD(size, gguf_get_alignment(g)), 0);
        if (t->type == GGML_TYPE_F32) {
            std::fill_n((float *) data.data(), ggml_nelements(t), 1.0f);
        } else {
            // blocks of a f16 scale and 16 bytes; nibbles from -8 to 7 have a spread of 4.6
            const ggml_fp16_t scale = ggml_fp32_to_fp16(1.0f/(4.6f*std::sqrt(float(t->ne[0]))));
            size_t at = random()%n_bytes;
            for (size_t block = 0; block < size; block += 18) {
                if (at + 16 > n_bytes) {
                    at = random()%64;
                }
                memcpy(data.data() + block, &scale, 2);
                memcpy(data.data() + block + 2, bytes + at, 16);
                at += 16;
            }
        }
        must(fwrite(data.data(), 1, data.size(), out) == data.size(), "the model could not be written");
    }
    must(fclose(out) == 0, "the model could not be written");
}

Model load(const char * path, ggml_backend_dev_t device, int n_layers) {
    llama_model_params params = llama_model_default_params();
    ggml_backend_dev_t devices[] = { device, nullptr };
    const bool on_cpu = !device || ggml_backend_dev_type(device) == GGML_BACKEND_DEVICE_TYPE_CPU;
    if (on_cpu) {
        devices[0] = nullptr;
    }
    params.devices      = devices;
    params.n_gpu_layers = on_cpu ? 0 : n_layers;
    Model model(llama_model_load_from_file(path, params));
    must(model != nullptr, "the model could not be loaded");
    return model;
}

size_t row_bytes(const llama_model * model) {
    return 2*sizeof(ggml_fp16_t)*llama_model_n_head_kv(model)*model->hparams.n_embd_head_k();
}
