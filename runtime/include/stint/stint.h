/* Copyright 2026 The stint authors.
 * SPDX-License-Identifier: Apache-2.0 */

/* From clicks to recommendations on the device: opens a model file, follows one
 * session an object, and returns the exact top-k of the model.
 *
 *   stint_model* model;
 *   stint_session* session;
 *   stint_recommendation top[20];
 *   size_t count;
 *   stint_model_from_file("shop.stint", &model, NULL);
 *   stint_session_create(model, 20, &session);
 *   stint_observe_id(session, 4711);
 *   stint_recommend(session, 20, NULL, top, &count);
 *
 * A model is immutable: any number of threads may use one at the same time. A
 * session belongs to one thread at a time. Nothing here throws, prints, aborts,
 * starts a thread or changes errno's meaning; observe and recommend never
 * allocate. Every call that can fail returns a stint_status. */
#ifndef STINT_STINT_H_
#define STINT_STINT_H_

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#if defined(STINT_BUILD)
#define STINT_API __declspec(dllexport)
#elif defined(STINT_SHARED)
#define STINT_API __declspec(dllimport)
#else
#define STINT_API
#endif
#else
#define STINT_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Status ------------------------------------------------------------- */

typedef enum stint_status {
  STINT_OK = 0,
  STINT_UNKNOWN_ITEM = 1,     /* the model does not know this item (or has no such index) */
  STINT_INVALID_ARGUMENT = 2, /* a null pointer, a size or an index out of range */
  STINT_IO_ERROR = 3,         /* the file cannot be opened, read or mapped */
  STINT_NOT_A_MODEL = 4,      /* no stint model: empty, cut short, or another kind of file */
  STINT_NEWER_VERSION = 5,    /* a format version that this runtime does not know */
  STINT_CORRUPT = 6,          /* checksum, structure, shape or value out of order */
  STINT_MISALIGNED = 7,       /* the buffer does not start at a multiple of 64 bytes */
  STINT_UNSUPPORTED = 8,      /* a valid request that this build or device cannot serve */
  STINT_OUT_OF_MEMORY = 9,
  STINT_SELF_TEST_FAILED = 10, /* the model's own test sessions give another answer here */
  STINT_OTHER_MODEL = 11       /* the session state belongs to another model */
} stint_status;

/* One English sentence without a full stop; static storage, never NULL. */
STINT_API const char* stint_status_message(stint_status status);

/* What went wrong in detail; STINT_OK and "" after a success. For example "section 'items':
 * checksum 0x12.. instead of 0x34..". It names a path where the file cannot be read, not where
 * its contents are bad. */
typedef struct stint_error {
  stint_status status;
  char message[256]; /* always terminated */
} stint_error;

/* "1.2.3" of the library; static storage. */
STINT_API const char* stint_version(void);

/* Name of the SIMD target in use; static storage. Highway's names ("AVX3_DL", "SVE2", "NEON", ...)
 * and two of our own: "AVX2_VNNI", AVX2 with AVX-VNNI, and "NEON_DOTPROD", NEON with sdot. */
STINT_API const char* stint_target(void);

/* Caps the SIMD target for the whole process: a name as stint_target() gives it,
 * upper or lower case, or NULL for the best one. For tests and for comparing
 * devices; the answers are the same on all. It caps every user of the same Highway
 * library in the process. Not thread-safe: call it before other calls. STINT_UNSUPPORTED if this
 * CPU or build has no such target. */
STINT_API stint_status stint_set_target(const char* name);

/* ---- Model -------------------------------------------------------------- */

typedef struct stint_model stint_model;

/* Opens a model in memory. `data` is borrowed: it must stay unchanged for the
 * model's life and start at a multiple of 64 bytes. All checksums, shapes and
 * values are verified here, once. `error` may be NULL. On failure *model is NULL. */
STINT_API stint_status stint_model_from_buffer(const void* data, size_t size, stint_model** model,
                                               stint_error* error);

/* Maps a file read-only and opens it as above; the mapping goes with the model.
 * The file must not be changed in place while it is open (replace it by renaming). */
STINT_API stint_status stint_model_from_file(const char* path, stint_model** model,
                                             stint_error* error);

/* The two above with flags; 0: as above. STINT_INVALID_ARGUMENT for a flag that is not known. */
STINT_API stint_status stint_model_open_buffer(const void* data, size_t size, uint32_t flags,
                                               stint_model** model, stint_error* error);
STINT_API stint_status stint_model_open_file(const char* path, uint32_t flags, stint_model** model,
                                             stint_error* error);

/* For a file that was verified before on this device, or whose bytes are vouched for in another
 * way (a signed package): opens without a look at weights, ids and counts, in microseconds
 * whatever the size; they come from the disk as they are used. Structure, sizes and the header's
 * checksum are verified all the same, so that wrong bytes elsewhere make wrong answers (ids that
 * are not found, empty names, scores that are NaN) but never a read or write outside of the
 * model. stint_model_describe() then passes over the counts at each call. */
#define STINT_OPEN_TRUSTED 1u

/* All sessions of the model must be destroyed before. NULL is allowed. */
STINT_API void stint_model_destroy(stint_model* model);

/* What a model is. Pointers live as long as the model. */
typedef struct stint_model_info {
  uint32_t format_version;
  uint32_t items;               /* catalog size */
  uint32_t layers;              /* GRU layers */
  const uint32_t* units;        /* [layers] hidden units of each */
  const char* gru_form;         /* "reset_after" or "reset_before" */
  const char* final_activation; /* of training, e.g. "softmax" or "elu-0.5"; scores are before it */
  const char* dtype;            /* of the item rows: "int8", "f32", "bf16" or "int4" */
  int32_t ids_are_names;        /* 1: external item ids are strings, 0: 64-bit integers */
  uint64_t file_size;           /* bytes */
  uint64_t training_events;     /* events the item counts add up to */
  uint32_t self_tests;          /* test sessions in the file */
  const char* hyperparameters;  /* JSON object as the trainer wrote it */
  const char* training_summary; /* JSON object: epochs, metrics, seed, stint version */
  const char* embedding;        /* of the input: "shared" with the scores, "separate", "none" */
  uint32_t embedding_width;     /* numbers an item enters the first layer by; 0: "none" */
  const char* hidden_activation;      /* of the GRU candidate, e.g. "tanh" or "leaky-0.01" */
  const char* const* layer_gru_forms; /* [layers] of each; under "none" the first is always
                                         "reset_before" */
  const char* layer_dtype;            /* of the GRU layers: "int8" or "f32" */
  const char*
      scoring; /* how a top-k is found, exactly in every case: "scan", by reading all item
                  rows; "int8", by a cascade over int8 item rows; "exact", by a cascade over
                  float32 item rows. The cascades read less, and a scan where that is quicker */
  uint32_t cascade_columns; /* 4-bit codes that a cascade reads of every item; 0: "scan" */
} stint_model_info;
STINT_API stint_status stint_model_describe(const stint_model* model, stint_model_info* info);

/* A part of the file, for inspection: name, place and stored checksum. */
typedef struct stint_section_info {
  const char* name;
  uint64_t offset; /* bytes from the start of the file */
  uint64_t size;   /* bytes */
  uint64_t xxh3;   /* XXH3-64 of the bytes */
} stint_section_info;
/* Section `index`, or STINT_INVALID_ARGUMENT past the last one. */
STINT_API stint_status stint_model_section(const stint_model* model, uint32_t index,
                                           stint_section_info* section);

/* Runs the test sessions that the trainer stored in the file and compares items
 * and scores bit for bit. Allocates one session. `error` may be NULL. */
STINT_API stint_status stint_model_self_test(const stint_model* model, stint_error* error);

/* External id -> item index in [0, items), the runtime's own name of an item.
 * STINT_UNKNOWN_ITEM if the model does not know it, STINT_UNSUPPORTED if the model's
 * ids are of the other kind; *item is then unchanged. */
STINT_API stint_status stint_item_from_id(const stint_model* model, int64_t id, uint32_t* item);
STINT_API stint_status stint_item_from_name(const stint_model* model, const char* name,
                                            size_t length, uint32_t* item);
/* Item index -> external id. The name is not terminated and lives with the model.
 * STINT_UNSUPPORTED if the model's ids are of the other kind. */
STINT_API stint_status stint_item_id(const stint_model* model, uint32_t item, int64_t* id);
STINT_API stint_status stint_item_name(const stint_model* model, uint32_t item, const char** name,
                                       size_t* length);
/* How often the item stood in the training events. */
STINT_API stint_status stint_item_count(const stint_model* model, uint32_t item, uint32_t* count);

/* ---- Session ------------------------------------------------------------ */

typedef struct stint_session stint_session;

#define STINT_SESSION_ALIGNMENT 64

/* Bytes that a session needs that will ask for at most `max_k` recommendations:
 * hidden state, scratch and two bits an item; with a cascade two bytes an item
 * besides. 0 if an argument is bad. */
STINT_API size_t stint_session_size(const stint_model* model, uint32_t max_k);

/* Lays out a fresh session in the caller's `memory` (at least stint_session_size()
 * bytes, aligned to STINT_SESSION_ALIGNMENT); nothing to destroy. */
STINT_API stint_status stint_session_init(const stint_model* model, uint32_t max_k, void* memory,
                                          size_t size, stint_session** session);

/* The same in memory of its own. */
STINT_API stint_status stint_session_create(const stint_model* model, uint32_t max_k,
                                            stint_session** session);
/* Only for sessions from stint_session_create(). NULL is allowed. */
STINT_API void stint_session_destroy(stint_session* session);

/* Back to an empty session: zero hidden state, nothing seen, counters at zero. */
STINT_API stint_status stint_session_reset(stint_session* session);

/* One click = one GRU step. An unknown id, or an index past the catalog, leaves the
 * hidden state as it was, adds one to the session's count of unknown items and returns
 * STINT_UNKNOWN_ITEM. An id of the kind that the model does not have changes nothing and
 * returns STINT_UNSUPPORTED. */
STINT_API stint_status stint_observe(stint_session* session, uint32_t item);
STINT_API stint_status stint_observe_id(stint_session* session, int64_t id);
STINT_API stint_status stint_observe_name(stint_session* session, const char* name, size_t length);

/* Events observed and skipped since the last reset. */
STINT_API uint64_t stint_session_observed(const stint_session* session);
STINT_API uint64_t stint_session_unknown(const stint_session* session);

/* The hidden state of a layer: *units floats in the session's memory, valid until
 * the next call on the session. */
STINT_API stint_status stint_session_hidden(const stint_session* session, uint32_t layer,
                                            const float** hidden, uint32_t* units);

/* ---- Session state ------------------------------------------------------ */

/* A session as bytes, so that it outlives the process: its hidden states, counters and the
 * items seen. The format has a version and a checksum and is the same on every device. Nothing
 * here allocates. */

/* Bytes of the session's state now: 64 + 4 a hidden unit (of all layers) + 8 a distinct item
 * observed since the reset. 100 units and 70 items: 1,024. 0 if
 * `session` is NULL. */
STINT_API size_t stint_session_state_size(const stint_session* session);

/* Writes the state: *size bytes of any alignment, which only stint_session_import() reads.
 * STINT_INVALID_ARGUMENT, and *size = 0, if `capacity` is below stint_session_state_size(). */
STINT_API stint_status stint_session_export(const stint_session* session, void* state,
                                            size_t capacity, size_t* size);

/* Replaces what the session holds by a state: it then answers, bit for bit, as the exported
 * session would. Any bytes may be given; all are checked before the session changes, and
 * unless STINT_OK comes back it is as it was:
 *   STINT_CORRUPT        cut, changed, no state at all, or values that no session can have
 *   STINT_NEWER_VERSION  written by a library with a newer format
 *   STINT_OTHER_MODEL    a hidden state means nothing to GRU layers that it does not come from
 *                        (other weights or shapes, such as after training again): start
 *                        afresh, or observe the session's clicks again
 * A model with the same layers and another catalog takes the state: items seen are found by
 * their ids (names by hashes of 44 bits, which takes a look at every name of the model), those
 * it has not are left out. The maximum of recommendations may differ. */
STINT_API stint_status stint_session_import(stint_session* session, const void* state, size_t size);

/* The same between two sessions of one stint_model, without bytes between them; `to` keeps its
 * own maximum of recommendations. STINT_OTHER_MODEL, and nothing changed, if their model
 * objects are not the same. */
STINT_API stint_status stint_session_copy(const stint_session* from, stint_session* to);

/* ---- Recommendation ----------------------------------------------------- */

typedef struct stint_recommendation {
  int64_t id;    /* external id; 0 where ids are names (see stint_item_name) */
  uint32_t item; /* item index */
  float score;   /* <hidden, item row> + bias, before the final activation; in an
                    empty session the item's count */
} stint_recommendation;

/* Zero-initialise it, so that later fields keep their default. */
typedef struct stint_recommend_options {
  int32_t exclude_seen; /* 1: leave out items observed since the reset */
  const uint32_t* deny; /* [deny_count] item indices to leave out, any order, repeats allowed */
  size_t deny_count;
  /* Where several of these are given, an item must pass all. */
  const uint32_t* allow; /* [allow_count] item indices: no others, any order, repeats allowed. NULL:
                            all items; not NULL with allow_count 0: none (the data() of an empty
                            std::vector may be NULL). A short list costs its items, no scan */
  size_t allow_count;
  const uint64_t* allow_bits; /* [(items + 63) / 64] item i only if bit i % 64 of word i / 64 is 1,
                                 e.g. a category; later bits are not looked at. NULL: all items */
} stint_recommend_options;

/* The exact top-k of the model, best first, ties by lower item index. `options`
 * may be NULL. `top` has room for k; *count comes back smaller where fewer items
 * are left. STINT_INVALID_ARGUMENT, and *count = 0, if k is 0 or above the session's
 * max_k, a denied or allowed index is not below the number of items, or a list is NULL
 * with a count above 0. A session without a known item recommends by popularity. */
STINT_API stint_status stint_recommend(stint_session* session, uint32_t k,
                                       const stint_recommend_options* options,
                                       stint_recommendation* top, size_t* count);

/* A `parallel for` of the caller, with threads of its own: calls task(task_context, index) once for
 * each index in [0, tasks), in any order and on any threads, and returns when all these calls have
 * returned. `context` is what the caller gave for it. */
typedef void (*stint_parallel_for)(void* context, size_t tasks,
                                   void (*task)(void* task_context, size_t index),
                                   void* task_context);

/* stint_recommend() of many sessions, with the same bits, in less time: sessions are answered in
 * groups of 16 by one pass over the catalog each.
 *   sessions   [session_count] of one stint_model, no two the same object; their max_k may differ
 *   options    [options_count]: 0 (may be NULL) for none, 1 for one that holds for all sessions, or
 *              session_count for one each
 *   top        [session_count * k] the answer of session i from top[i * k] on
 *   counts     [session_count] items of each answer; what lies behind them is not written
 * parallel_for NULL: all on the calling thread. Else it is given one task a group, in one call, or
 * none where one group is all; there groups are of 4 sessions, from 64 sessions on of 8, from 128
 * on of 16. Sessions without an event, or with a short `allow` list, are answered one by one in
 * their group. Nothing allocates or locks. STINT_INVALID_ARGUMENT, with all counts 0 and nothing
 * else changed, if an argument is bad for one of the sessions as it would be for stint_recommend(),
 * a session is NULL or comes twice, or options_count is another number; STINT_OTHER_MODEL,
 * likewise, if the model objects of two sessions differ. 0 sessions: STINT_OK. */
STINT_API stint_status stint_recommend_batch(stint_session* const* sessions, size_t session_count,
                                             uint32_t k, const stint_recommend_options* options,
                                             size_t options_count, stint_parallel_for parallel_for,
                                             void* parallel_context, stint_recommendation* top,
                                             size_t* counts);

/* Where an item stands among all items of the catalog, excluding none: how many
 * have a higher score and how many others have the same. Standard rank = 1 +
 * *higher, conservative = 1 + *higher + *equal. An empty session ranks by popularity. */
STINT_API stint_status stint_rank(stint_session* session, uint32_t item, uint32_t* higher,
                                  uint32_t* equal);

/* Scores of all items, [items] floats. An empty session: the items' counts. */
STINT_API stint_status stint_scores(stint_session* session, float* scores);

/* Scores of given items: items[count], any order, repeats allowed -> scores[count] with the
 * bits of stint_scores(), for the price of these items alone. The arrays must not overlap; with
 * count 0 they may be NULL. STINT_INVALID_ARGUMENT, and scores as they were, if an index
 * is not below the number of items. */
STINT_API stint_status stint_item_scores(stint_session* session, const uint32_t* items,
                                         size_t count, float* scores);

/* Probabilities of given items: the softmax of the scores over the whole catalog,
 * exp(score) / sum of exp(score of each item), for one scan of it more. Arguments and errors
 * as for stint_item_scores(). Same bits on every device, whatever other items are asked
 * for; relative error <= 2e-6 against the softmax in double of the same scores for
 * probabilities from 1e-37 on (smaller ones may be 0). An empty session: the item's share of the
 * training events.
 * It is what a model trained with cross-entropy means by its scores, as far as its training went;
 * for the other losses (BPR-max, TOP1-max) it is a softmax of scores and no more. Neither
 * is calibrated: a number of 0.2 does not say that one click in five follows. */
STINT_API stint_status stint_item_probabilities(stint_session* session, const uint32_t* items,
                                                size_t count, float* probabilities);

/* The same of the items of an answer, top[count]; of their scores nothing is read. It is an answer
 * of any options, as probabilities are over the whole catalog. */
STINT_API stint_status stint_top_probabilities(stint_session* session,
                                               const stint_recommendation* top, size_t count,
                                               float* probabilities);

/* The model's final activation of a score: what training compared, "elu-0.5" and so
 * on by stint_model_info.final_activation; the same bits on every device. It never
 * falls but for rounding, so order and ties are those of the scores: rank by scores.
 * Softmax needs the scores of all items: here it is the score itself, as it is for a
 * null model. An empty session's counts are no scores. */
STINT_API float stint_final_activation(const stint_model* model, float score);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* STINT_STINT_H_ */
