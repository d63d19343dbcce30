/* Decodes pages of sessions into columns, in one pass over their bytes.
 *
 * Accepts strict JSON of the specified shape only; the caller has a fallback for any other page.
 * Members that are not specified, and values that do not fit their column, are returned as the raw
 * text.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__) && defined(__GNUC__)
#include <emmintrin.h>
#endif

enum kind { TEXT, LABEL, NUMBER, INTEGER, FLAG, TIME, JSON, OBJECT, ROWS, IDS };

#define MAX_DEPTH 200

/* ---- growing buffers ---------------------------------------------------------------------- */

typedef struct {
    char *at;
    size_t used, size;
} Buffer;

static int
reserve(Buffer *b, size_t more)
{
    if (b->used + more <= b->size)
        return 0;
    size_t size = b->size ? b->size : 4096;
    while (size < b->used + more)
        size *= 2;
    char *at = PyMem_RawRealloc(b->at, size);
    if (at == NULL)
        return -1;
    b->at = at;
    b->size = size;
    return 0;
}

static int
append(Buffer *b, const void *from, size_t n)
{
    if (reserve(b, n))
        return -1;
    memcpy(b->at + b->used, from, n);
    b->used += n;
    return 0;
}

/* ---- columns ----------------------------------------------------------------------------- */

typedef struct {
    uint32_t hash;
    int32_t after; /* label that followed this one last time */
} Entry;

typedef struct {
    int kind;
    int64_t rows;    /* filled so far */
    int64_t missing; /* of these, without a value */
    Buffer values;   /* numbers, times, codes, or bytes of text */
    Buffer ends;     /* int32, where each text ends */
    Buffer valid;    /* one byte per row */
    /* labels */
    Buffer words, word_ends, entries, slots;
    int32_t labels, last;
    /* lists of texts: `word_ends` counts the texts up to each row, `labels` all so far */
} Column;

typedef struct {
    const char *key;
    Py_ssize_t length;
    int kind, child;
    Column column;
} Member;

typedef struct {
    Member *members;
    int count, table, expected;
    PyObject *owner; /* keeps the keys alive */
    Buffer given;    /* per row two bit sets of members: given, given as null */
} Level;

/* In the first bit set: the object itself is there. */
#define THERE ((uint64_t)1 << 63)

typedef struct {
    Level *levels;
    int count;
    int64_t rows[8]; /* per table */
    Buffer parents[8];
    PyObject *left;    /* members without a column: (level, key, row, text) */
    PyObject *misfits; /* values that do not fit their column, likewise */
    const char *start, *at, *end;
} Scan;

static size_t
width_of(int kind)
{
    return kind == LABEL ? 4 : kind == FLAG ? 1 : 8;
}

static int
is_text(int kind)
{
    return kind == TEXT || kind == JSON;
}

/* Fill the column up to `rows` with missing values. */
static int
pad(Column *c, int64_t rows)
{
    static const char zero[8] = {0};
    while (c->rows < rows) {
        if (append(&c->valid, zero, 1))
            return -1;
        if (is_text(c->kind)) {
            int32_t end = (int32_t)c->values.used;
            if (append(&c->ends, &end, 4))
                return -1;
        }
        else if (c->kind == IDS) {
            if (append(&c->word_ends, &c->labels, 4))
                return -1;
        }
        else if (append(&c->values, zero, width_of(c->kind)))
            return -1;
        c->rows++;
        c->missing++;
    }
    return 0;
}

static int
put(Column *c, const void *value)
{
    static const char one = 1;
    if (append(&c->valid, &one, 1) || append(&c->values, value, width_of(c->kind)))
        return -1;
    c->rows++;
    return 0;
}

static int
put_text(Column *c, const char *text, size_t n)
{
    static const char one = 1;
    if (c->values.used + n > INT32_MAX)
        return -1;
    if (append(&c->valid, &one, 1) || append(&c->values, text, n))
        return -1;
    int32_t end = (int32_t)c->values.used;
    c->rows++;
    return append(&c->ends, &end, 4);
}

/* ---- labels ------------------------------------------------------------------------------ */

static int32_t
word_start(const Column *c, int32_t label)
{
    return label ? ((int32_t *)c->word_ends.at)[label - 1] : 0;
}

static int
same_word(const Column *c, int32_t label, const char *text, size_t n)
{
    int32_t start = word_start(c, label);
    return (size_t)(((int32_t *)c->word_ends.at)[label] - start) == n &&
           memcmp(c->words.at + start, text, n) == 0;
}

static int
grow_slots(Column *c)
{
    size_t size = c->slots.used ? c->slots.used / 4 * 2 : 64;
    int32_t *slots = PyMem_RawMalloc(size * 4);
    if (slots == NULL)
        return -1;
    memset(slots, 0xff, size * 4);
    for (int32_t label = 0; label < c->labels; label++) {
        size_t slot = ((Entry *)c->entries.at)[label].hash & (size - 1);
        while (slots[slot] >= 0)
            slot = (slot + 1) & (size - 1);
        slots[slot] = label;
    }
    PyMem_RawFree(c->slots.at);
    c->slots.at = (char *)slots;
    c->slots.used = c->slots.size = size * 4;
    return 0;
}

static int
label_of(Column *c, const char *text, size_t n, int32_t *label)
{
    if (c->labels) {
        /* Records repeat: the same label again, or the one that followed it last time. */
        int32_t next = ((Entry *)c->entries.at)[c->last].after;
        if (same_word(c, next, text, n))
            return *label = c->last = next, 0;
        if (same_word(c, c->last, text, n)) {
            ((Entry *)c->entries.at)[c->last].after = c->last;
            return *label = c->last, 0;
        }
    }
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    if ((size_t)c->labels * 2 >= c->slots.used / 4 && grow_slots(c))
        return -1;
    int32_t *slots = (int32_t *)c->slots.at;
    size_t mask = c->slots.used / 4 - 1, slot = hash & mask;
    while (slots[slot] >= 0 && !same_word(c, slots[slot], text, n))
        slot = (slot + 1) & mask;
    if (slots[slot] < 0) {
        Entry entry = {hash, c->labels};
        if (append(&c->words, text, n))
            return -1;
        int32_t end = (int32_t)c->words.used;
        if (append(&c->word_ends, &end, 4) || append(&c->entries, &entry, sizeof entry))
            return -1;
        slots[slot] = c->labels++;
    }
    if (c->labels > 1)
        ((Entry *)c->entries.at)[c->last].after = slots[slot];
    *label = c->last = slots[slot];
    return 0;
}

/* ---- reading JSON: each returns 0, or -1 for anything but strict JSON --------------------- */

static void
skip_blanks(Scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t'))
        s->at++;
}

static int
expect(Scan *s, char c)
{
    skip_blanks(s);
    if (s->at >= s->end || *s->at != c)
        return -1;
    s->at++;
    return 0;
}

/* From after the opening quote to after the closing one. */
static int
string(Scan *s, const char **text, size_t *n, int *escaped)
{
    const char *p = s->at, *end = s->end;
    *text = p;
    *escaped = 0;
    for (;;) {
#if defined(__SSE2__) && defined(__GNUC__)
        while (end - p >= 16) {
            __m128i w = _mm_loadu_si128((const __m128i *)p);
            __m128i odd = _mm_or_si128(
                _mm_or_si128(_mm_cmpeq_epi8(w, _mm_set1_epi8('"')),
                             _mm_cmpeq_epi8(w, _mm_set1_epi8('\\'))),
                _mm_cmpeq_epi8(_mm_min_epu8(w, _mm_set1_epi8(0x1f)), w));
            int found = _mm_movemask_epi8(odd);
            if (found) {
                p += __builtin_ctz((unsigned)found);
                break;
            }
            p += 16;
        }
#endif
        while (end - p >= 8) {
            uint64_t w, quote, slash, low;
            memcpy(&w, p, 8);
            quote = w ^ 0x2222222222222222u;
            slash = w ^ 0x5c5c5c5c5c5c5c5cu;
            low = (w - 0x2020202020202020u) & ~w;
            quote = (quote - 0x0101010101010101u) & ~quote;
            slash = (slash - 0x0101010101010101u) & ~slash;
            if ((quote | slash | low) & 0x8080808080808080u)
                break;
            p += 8;
        }
        if (p >= end || (unsigned char)*p < 0x20)
            return -1;
        if (*p == '"')
            break;
        if (*p == '\\') {
            *escaped = 1;
            if (end - p < 2)
                return -1;
            if (p[1] == 'u') {
                if (end - p < 6)
                    return -1;
                for (int i = 2; i < 6; i++)
                    if (!Py_ISXDIGIT(p[i]))
                        return -1;
                p += 6;
            }
            else if (strchr("\"\\/bfnrt", p[1]) == NULL || p[1] == 0)
                return -1;
            else
                p += 2;
        }
        else
            p++;
    }
    *n = (size_t)(p - *text);
    s->at = p + 1;
    return 0;
}

static unsigned
hex4(const char *p)
{
    unsigned v = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        v = v * 16 + (unsigned)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
    }
    return v;
}

/* Decode the escapes of a string into UTF-8. An unpaired surrogate is an error. */
static int
unescape(Buffer *b, const char *p, size_t n)
{
    const char *end = p + n;
    b->used = 0;
    if (reserve(b, n + 4))
        return -1;
    char *o = b->at;
    while (p < end) {
        if (*p != '\\') {
            *o++ = *p++;
            continue;
        }
        unsigned v;
        switch (p[1]) {
        case 'b': v = '\b'; break;
        case 'f': v = '\f'; break;
        case 'n': v = '\n'; break;
        case 'r': v = '\r'; break;
        case 't': v = '\t'; break;
        case 'u': v = hex4(p + 2); p += 4; break;
        default: v = (unsigned char)p[1];
        }
        p += 2;
        if (v >= 0xdc00 && v < 0xe000)
            return -1;
        if (v >= 0xd800 && v < 0xdc00) {
            if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
                return -1;
            unsigned low = hex4(p + 2);
            if (low < 0xdc00 || low >= 0xe000)
                return -1;
            v = 0x10000 + ((v - 0xd800) << 10) + (low - 0xdc00);
            p += 6;
        }
        if (v < 0x80)
            *o++ = (char)v;
        else if (v < 0x800) {
            *o++ = (char)(0xc0 | v >> 6);
            *o++ = (char)(0x80 | (v & 63));
        }
        else if (v < 0x10000) {
            *o++ = (char)(0xe0 | v >> 12);
            *o++ = (char)(0x80 | (v >> 6 & 63));
            *o++ = (char)(0x80 | (v & 63));
        }
        else {
            *o++ = (char)(0xf0 | v >> 18);
            *o++ = (char)(0x80 | (v >> 12 & 63));
            *o++ = (char)(0x80 | (v >> 6 & 63));
            *o++ = (char)(0x80 | (v & 63));
        }
    }
    b->used = (size_t)(o - b->at);
    return 0;
}

static int
digits(Scan *s)
{
    const char *p = s->at;
    while (s->at < s->end && Py_ISDIGIT(*s->at))
        s->at++;
    return s->at > p ? 0 : -1;
}

static int
number(Scan *s, int *whole)
{
    *whole = 1;
    if (*s->at == '-')
        s->at++;
    if (s->at < s->end && *s->at == '0')
        s->at++;
    else if (digits(s))
        return -1;
    if (s->at < s->end && *s->at == '.') {
        *whole = 0;
        s->at++;
        if (digits(s))
            return -1;
    }
    if (s->at < s->end && (*s->at | 32) == 'e') {
        *whole = 0;
        s->at++;
        if (s->at < s->end && (*s->at == '+' || *s->at == '-'))
            s->at++;
        if (digits(s))
            return -1;
    }
    return 0;
}

static int
literal(Scan *s, const char *w, size_t n)
{
    if ((size_t)(s->end - s->at) < n || memcmp(s->at, w, n) != 0)
        return -1;
    s->at += n;
    return 0;
}

static Buffer scratch; /* unescaped text; protected by the global interpreter lock */

/* Any value; the limit of depth protects the stack. */
static int
skip(Scan *s, int depth)
{
    const char *text;
    size_t n;
    int flag;
    skip_blanks(s);
    if (s->at >= s->end || depth > MAX_DEPTH)
        return -1;
    switch (*s->at) {
    case '"':
        s->at++;
        if (string(s, &text, &n, &flag))
            return -1;
        return flag ? unescape(&scratch, text, n) : 0;
    case 't': return literal(s, "true", 4);
    case 'f': return literal(s, "false", 5);
    case 'n': return literal(s, "null", 4);
    case '[':
    case '{': {
        char close = *s->at == '[' ? ']' : '}';
        s->at++;
        skip_blanks(s);
        if (s->at < s->end && *s->at == close)
            return s->at++, 0;
        for (;;) {
            if (close == '}') {
                if (expect(s, '"') || string(s, &text, &n, &flag) || expect(s, ':'))
                    return -1;
                if (flag && unescape(&scratch, text, n))
                    return -1;
            }
            if (skip(s, depth + 1))
                return -1;
            skip_blanks(s);
            if (s->at >= s->end)
                return -1;
            if (*s->at == close)
                return s->at++, 0;
            if (*s->at++ != ',')
                return -1;
        }
    }
    default:
        return (*s->at == '-' || Py_ISDIGIT(*s->at)) ? number(s, &flag) : -1;
    }
}

/* ---- values ------------------------------------------------------------------------------ */

static int
two_digits(const char *p, int *v)
{
    if (!Py_ISDIGIT(p[0]) || !Py_ISDIGIT(p[1]))
        return -1;
    *v = (p[0] - '0') * 10 + p[1] - '0';
    return 0;
}

/* YYYY-MM-DDTHH:MM:SSZ, also with a blank for T and without Z, as microseconds since 1970, UTC. */
static int
timestamp(const char *p, size_t n, int64_t *value)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int c, y, m, d, h, min, sec;
    if (!(n == 19 || (n == 20 && p[19] == 'Z')) || (p[10] != 'T' && p[10] != ' '))
        return -1;
    if (two_digits(p, &c) || two_digits(p + 2, &y) || p[4] != '-' || two_digits(p + 5, &m) || p[7] != '-' ||
        two_digits(p + 8, &d) || two_digits(p + 11, &h) || p[13] != ':' || two_digits(p + 14, &min) || p[16] != ':' ||
        two_digits(p + 17, &sec))
        return -1;
    y += c * 100;
    if (y < 1678 || m < 1 || m > 12 || d < 1 || h > 23 || min > 59 || sec > 59)
        return -1;
    int leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    if (d > days[m - 1] + (m == 2 && leap))
        return -1;
    /* Days from the civil calendar (Howard Hinnant, chrono-compatible date algorithms). */
    int shifted = y - (m <= 2);
    int era = shifted / 400, of_era = shifted % 400;
    int of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int64_t day = (int64_t)era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
    *value = ((day * 24 + h) * 60 + min) * 60 + sec;
    *value *= 1000000;
    return 0;
}

/* The double nearest to a JSON number. */
static int
real(const char *p, size_t n, double *value)
{
    static const double tens[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    uint64_t digits_read = 0;
    int places = 0, point = 0, count = 0;
    const char *q = p + (*p == '-'), *end = p + n;
    for (; q < end && count <= 15; q++) {
        if (*q == '.') {
            point = 1;
            continue;
        }
        if (!Py_ISDIGIT(*q))
            break;
        digits_read = digits_read * 10 + (uint64_t)(*q - '0');
        count++;
        places += point;
    }
    if (q == end && count <= 15) {
        /* Both are exact doubles, so the quotient is rounded only once (Clinger, 1990). */
        *value = (double)digits_read / tens[places];
        if (*p == '-')
            *value = -*value;
        return 0;
    }
    char copy[64];
    if (n >= sizeof copy)
        return 1;
    memcpy(copy, p, n);
    copy[n] = 0;
    *value = PyOS_string_to_double(copy, NULL, NULL);
    if (PyErr_Occurred()) {
        PyErr_Clear();
        return 1;
    }
    return (*value - *value != 0) ? 1 : 0;
}

static int
integer(const char *p, size_t n, int64_t *value)
{
    int negative = *p == '-';
    if (n - (size_t)negative > 18)
        return -1;
    *value = 0;
    for (size_t i = (size_t)negative; i < n; i++)
        *value = *value * 10 + (p[i] - '0');
    if (negative)
        *value = -*value;
    return 0;
}

/* Return the text from `from` to here to the caller, in `left` or `misfits`. */
static int
give_back(Scan *s, PyObject *list, int level, const char *key, size_t n, int64_t row, const char *from)
{
    PyObject *one = Py_BuildValue("is#Ly#", level, key, (Py_ssize_t)n, (long long)row, from,
                                  (Py_ssize_t)(s->at - from));
    if (one == NULL)
        return -1;
    int failed = PyList_Append(list, one);
    Py_DECREF(one);
    return failed;
}

static int
leave(Scan *s, int level, const char *key, size_t n, int64_t row, const char *from)
{
    return give_back(s, s->left, level, key, n, row, from);
}

static int
misfit(Scan *s, int level, const Member *m, int64_t row, const char *from)
{
    return give_back(s, s->misfits, level, m->key, (size_t)m->length, row, from);
}

/* One value of a column. A value that does not fit is returned to the caller. */
static int
value(Scan *s, int at, int index, int64_t row)
{
    Member *m = &s->levels[at].members[index];
    Column *c = &m->column;
    const char *from = s->at, *text;
    size_t n;
    int escaped, whole;
    if (c->rows > row || pad(c, row))
        return -1; /* duplicate key */
    if (*from == 'n')
        return literal(s, "null", 4);
    if (m->kind == JSON) {
        if (skip(s, 0))
            return -1;
        return put_text(c, from, (size_t)(s->at - from));
    }
    if (*from == '"' && (m->kind == TEXT || m->kind == LABEL || m->kind == TIME)) {
        s->at++;
        if (string(s, &text, &n, &escaped))
            return -1;
        if (escaped) {
            if (unescape(&scratch, text, n))
                return -1;
            text = scratch.at;
            n = scratch.used;
        }
        if (m->kind == TEXT)
            return put_text(c, text, n);
        if (m->kind == LABEL) {
            int32_t label;
            return label_of(c, text, n, &label) || put(c, &label);
        }
        int64_t when;
        return timestamp(text, n, &when) ? misfit(s, at, m, row, from) : put(c, &when);
    }
    if (m->kind == FLAG && (*from == 't' || *from == 'f')) {
        char flag = *from == 't';
        return (flag ? literal(s, "true", 4) : literal(s, "false", 5)) || put(c, &flag);
    }
    if ((m->kind == NUMBER || m->kind == INTEGER || m->kind == FLAG) &&
        (*from == '-' || Py_ISDIGIT(*from))) {
        if (number(s, &whole))
            return -1;
        n = (size_t)(s->at - from);
        int64_t integral;
        double floating;
        /* A whole number of more digits may be no double: the caller keeps its text then. */
        if (m->kind == NUMBER && !(whole && n > 15) && real(from, n, &floating) == 0)
            return put(c, &floating);
        if (m->kind == INTEGER && whole && integer(from, n, &integral) == 0)
            return put(c, &integral);
        if (m->kind == FLAG && n == 1 && (*from == '0' || *from == '1')) {
            char flag = *from == '1';
            return put(c, &flag);
        }
        return misfit(s, at, m, row, from);
    }
    if (skip(s, 0))
        return -1;
    return misfit(s, at, m, row, from);
}

/* Note which members the object of a row gives; rows without an object have none. */
static int
note_given(Level *level, int64_t row, uint64_t seen, uint64_t nulls)
{
    static const uint64_t none[2] = {0, 0};
    const uint64_t given[2] = {seen | THERE, nulls};
    while (level->given.used < (size_t)row * sizeof given)
        if (append(&level->given, none, sizeof none))
            return -1;
    return append(&level->given, given, sizeof given);
}

static int object(Scan *s, int at, int64_t row);

/* A list of objects, each of which is a row of another table. */
static int
rows(Scan *s, int at, int index, int64_t parent)
{
    Member *m = &s->levels[at].members[index];
    Level *child = &s->levels[m->child];
    const char *from = s->at;
    int whole = 1;
    if (*from == 'n')
        return literal(s, "null", 4);
    if (*from != '[') {
        if (skip(s, 0))
            return -1;
        return leave(s, at, m->key, (size_t)m->length, parent, from);
    }
    s->at++;
    skip_blanks(s);
    if (s->at < s->end && *s->at == ']')
        return s->at++, 0;
    for (;;) {
        skip_blanks(s);
        if (s->at >= s->end)
            return -1;
        if (*s->at == '{') {
            if (append(&s->parents[child->table], &parent, 8))
                return -1;
            if (object(s, m->child, s->rows[child->table]++))
                return -1;
        }
        else {
            whole = 0;
            if (skip(s, 0))
                return -1;
        }
        skip_blanks(s);
        if (s->at >= s->end)
            return -1;
        if (*s->at == ']')
            break;
        if (*s->at++ != ',')
            return -1;
    }
    s->at++;
    return whole ? 0 : leave(s, at, m->key, (size_t)m->length, parent, from);
}

/* A list of texts. Anything else is returned to the caller, and the row has no list. */
static int
ids(Scan *s, int at, int index, int64_t row)
{
    static const char one = 1;
    Member *m = &s->levels[at].members[index];
    Column *c = &m->column;
    const char *from = s->at, *text;
    size_t n, before = c->values.used, ends = c->ends.used;
    int32_t count = c->labels;
    int escaped, whole = *from == '[';
    if (c->rows > row || pad(c, row))
        return -1;
    if (*from == 'n')
        return literal(s, "null", 4);
    for (const char *open = "["; whole && *open != ']';) {
        if (expect(s, *open))
            return -1;
        skip_blanks(s);
        if (s->at < s->end && *s->at == ']' && *open == '[')
            break;
        if (s->at >= s->end || *s->at != '"') {
            whole = 0;
            break;
        }
        s->at++;
        if (string(s, &text, &n, &escaped))
            return -1;
        if (escaped) {
            if (unescape(&scratch, text, n))
                return -1;
            text = scratch.at;
            n = scratch.used;
        }
        if (c->values.used + n > INT32_MAX || append(&c->values, text, n))
            return -1;
        int32_t end = (int32_t)c->values.used;
        if (append(&c->ends, &end, 4))
            return -1;
        c->labels++;
        skip_blanks(s);
        open = s->at < s->end && *s->at == ']' ? "]" : ",";
    }
    if (whole) {
        s->at++;
        c->rows++;
        return append(&c->valid, &one, 1) || append(&c->word_ends, &c->labels, 4);
    }
    c->values.used = before;
    c->ends.used = ends;
    c->labels = count;
    s->at = from;
    if (skip(s, 0))
        return -1;
    return leave(s, at, m->key, (size_t)m->length, row, from);
}

static int
member_value(Scan *s, int at, int index, int64_t row)
{
    Member *m = &s->levels[at].members[index];
    const char *from;
    skip_blanks(s);
    if (s->at >= s->end)
        return -1;
    from = s->at;
    switch (m->kind) {
    case ROWS:
        return rows(s, at, index, row);
    case IDS:
        return ids(s, at, index, row);
    case OBJECT:
        if (*from == '{')
            return object(s, m->child, row);
        if (*from == 'n')
            return literal(s, "null", 4);
        if (skip(s, 0))
            return -1;
        return leave(s, at, m->key, (size_t)m->length, row, from);
    default:
        return value(s, at, index, row);
    }
}

static int
object(Scan *s, int at, int64_t row)
{
    Level *level = &s->levels[at];
    const char *key;
    size_t n;
    int escaped;
    uint64_t seen = 0, nulls = 0;
    s->at++;
    skip_blanks(s);
    if (s->at < s->end && *s->at == '}')
        return s->at++, note_given(level, row, seen, nulls);
    for (;;) {
        if (expect(s, '"') || string(s, &key, &n, &escaped) || expect(s, ':') || escaped)
            return -1;
        int index = level->expected, tried = 0;
        while (tried < level->count && !((size_t)level->members[index].length == n &&
                                         memcmp(level->members[index].key, key, n) == 0)) {
            index = index + 1 < level->count ? index + 1 : 0;
            tried++;
        }
        if (tried == level->count) {
            skip_blanks(s);
            const char *from = s->at;
            if (skip(s, 0) || leave(s, at, key, n, row, from))
                return -1;
        }
        else {
            if (seen >> index & 1)
                return -1;
            seen |= (uint64_t)1 << index;
            skip_blanks(s);
            if (s->at < s->end && *s->at == 'n')
                nulls |= (uint64_t)1 << index;
            level->expected = index + 1 < level->count ? index + 1 : 0;
            if (member_value(s, at, index, row))
                return -1;
        }
        skip_blanks(s);
        if (s->at >= s->end)
            return -1;
        if (*s->at == '}')
            return s->at++, note_given(level, row, seen, nulls);
        if (*s->at++ != ',')
            return -1;
    }
}

/* A page: an object whose member "data" is a list of sessions. */
static int
page(Scan *s, PyObject *bytes)
{
    const char *key;
    size_t n;
    int escaped, found = 0;
    s->start = s->at = PyBytes_AS_STRING(bytes);
    s->end = s->at + PyBytes_GET_SIZE(bytes);
    if (expect(s, '{'))
        return -1;
    for (;;) {
        if (expect(s, '"') || string(s, &key, &n, &escaped) || expect(s, ':'))
            return -1;
        skip_blanks(s);
        if (n == 4 && memcmp(key, "data", 4) == 0) {
            if (found++ || expect(s, '['))
                return -1;
            skip_blanks(s);
            if (s->at < s->end && *s->at == ']')
                s->at++;
            else
                for (;;) {
                    skip_blanks(s);
                    if (s->at >= s->end || *s->at != '{' || object(s, 0, s->rows[0]++))
                        return -1;
                    skip_blanks(s);
                    if (s->at >= s->end)
                        return -1;
                    if (*s->at == ']') {
                        s->at++;
                        break;
                    }
                    if (*s->at++ != ',')
                        return -1;
                }
        }
        else if (skip(s, 0))
            return -1;
        skip_blanks(s);
        if (s->at >= s->end)
            return -1;
        if (*s->at == '}')
            break;
        if (*s->at++ != ',')
            return -1;
    }
    s->at++;
    skip_blanks(s);
    return s->at == s->end && found ? 0 : -1;
}

/* ---- to Python --------------------------------------------------------------------------- */

static PyObject *
bytes_of(const Buffer *b)
{
    return PyBytes_FromStringAndSize(b->at, (Py_ssize_t)b->used);
}

/* From one byte per row to the one bit per row that Arrow uses. */
static PyObject *
bits_of(const Buffer *b)
{
    PyObject *bits = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)((b->used + 7) / 8));
    if (bits == NULL)
        return NULL;
    char *o = PyBytes_AS_STRING(bits);
    memset(o, 0, (b->used + 7) / 8);
    for (size_t i = 0; i < b->used; i++)
        o[i >> 3] |= (char)((b->at[i] & 1) << (i & 7));
    return bits;
}

/* Where each text ends, with the leading 0 that Arrow expects. */
static PyObject *
offsets_of(const Buffer *ends)
{
    PyObject *offsets = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(ends->used + 4));
    if (offsets == NULL)
        return NULL;
    memset(PyBytes_AS_STRING(offsets), 0, 4);
    if (ends->used)
        memcpy(PyBytes_AS_STRING(offsets) + 4, ends->at, ends->used);
    return offsets;
}

static PyObject *
column_of(Column *c)
{
    PyObject *valid = c->missing ? bits_of(&c->valid) : Py_NewRef(Py_None);
    PyObject *values = c->kind == FLAG ? bits_of(&c->values) : bytes_of(&c->values);
    int text = is_text(c->kind) || c->kind == IDS, several = c->kind == LABEL || c->kind == IDS;
    PyObject *offsets = text ? offsets_of(&c->ends) : Py_NewRef(Py_None);
    PyObject *words = c->kind == LABEL ? bytes_of(&c->words) : Py_NewRef(Py_None);
    PyObject *word_ends = several ? offsets_of(&c->word_ends) : Py_NewRef(Py_None);
    if (!valid || !values || !offsets || !words || !word_ends) {
        Py_XDECREF(valid);
        Py_XDECREF(values);
        Py_XDECREF(offsets);
        Py_XDECREF(words);
        Py_XDECREF(word_ends);
        return NULL;
    }
    return Py_BuildValue("NNNNNi", valid, values, offsets, words, word_ends, (int)c->labels);
}

static void
free_column(Column *c)
{
    Buffer *all[] = {&c->values, &c->ends, &c->valid, &c->words, &c->word_ends, &c->entries, &c->slots};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        PyMem_RawFree(all[i]->at);
}

static void
finish(Scan *s)
{
    for (int i = 0; i < s->count; i++) {
        for (int j = 0; j < s->levels[i].count; j++)
            free_column(&s->levels[i].members[j].column);
        PyMem_Free(s->levels[i].members);
        PyMem_RawFree(s->levels[i].given.at);
        Py_XDECREF(s->levels[i].owner);
    }
    PyMem_Free(s->levels);
    for (int i = 0; i < 8; i++)
        PyMem_RawFree(s->parents[i].at);
    Py_XDECREF(s->left);
    Py_XDECREF(s->misfits);
}

/* [(table, [(key, kind, child), ...]), ...] */
static int
specify(Scan *s, PyObject *levels)
{
    Py_ssize_t count = PyList_Size(levels);
    if (count < 1 || !(s->levels = PyMem_Calloc((size_t)count, sizeof(Level))))
        return -1;
    for (Py_ssize_t i = 0; i < count; i++) {
        Level *level = &s->levels[i];
        PyObject *members;
        if (!PyArg_ParseTuple(PyList_GET_ITEM(levels, i), "iO!", &level->table, &PyList_Type, &members))
            return -1;
        s->count++;
        level->owner = Py_NewRef(members);
        level->count = (int)PyList_GET_SIZE(members);
        if (level->count > 63 || level->table > 7) {
            PyErr_SetString(PyExc_ValueError, "at most 63 members per level and 8 tables");
            return -1;
        }
        level->members = PyMem_Calloc((size_t)level->count + 1, sizeof(Member));
        if (level->members == NULL)
            return -1;
        for (int j = 0; j < level->count; j++) {
            Member *m = &level->members[j];
            if (!PyArg_ParseTuple(PyList_GET_ITEM(members, j), "s#ii", &m->key, &m->length, &m->kind, &m->child))
                return -1;
            m->column.kind = m->kind;
        }
    }
    return 0;
}

static PyObject *
result(Scan *s)
{
    PyObject *columns = PyList_New(0), *parents = PyList_New(0), *counts = PyList_New(0);
    PyObject *given = PyList_New(0);
    if (!columns || !parents || !counts || !given)
        goto failed;
    for (int i = 0; i < s->count; i++) {
        PyObject *one = bytes_of(&s->levels[i].given);
        int bad = !one || PyList_Append(given, one);
        Py_XDECREF(one);
        if (bad)
            goto failed;
    }
    for (int i = 0; i < s->count; i++)
        for (int j = 0; j < s->levels[i].count; j++) {
            Member *m = &s->levels[i].members[j];
            PyObject *one;
            if (m->kind == OBJECT || m->kind == ROWS)
                one = Py_NewRef(Py_None);
            else {
                if (pad(&m->column, s->rows[s->levels[i].table])) {
                    PyErr_NoMemory();
                    goto failed;
                }
                one = column_of(&m->column);
            }
            if (one == NULL || PyList_Append(columns, one)) {
                Py_XDECREF(one);
                goto failed;
            }
            Py_DECREF(one);
        }
    for (int i = 0; i < 8; i++) {
        PyObject *one = bytes_of(&s->parents[i]), *n = PyLong_FromLongLong(s->rows[i]);
        int bad = !one || !n || PyList_Append(parents, one) || PyList_Append(counts, n);
        Py_XDECREF(one);
        Py_XDECREF(n);
        if (bad)
            goto failed;
    }
    return Py_BuildValue("NNNOON", columns, parents, counts, s->left, s->misfits, given);
failed:
    Py_XDECREF(given);
    Py_XDECREF(columns);
    Py_XDECREF(parents);
    Py_XDECREF(counts);
    return NULL;
}

PyDoc_STRVAR(scan_doc,
"scan(pages, levels)\n--\n\n"
"Decode pages of sessions into columns.\n\n"
"Parameters\n----------\n"
"pages : list of bytes\n    Valid UTF-8; this is not checked here.\n"
"levels : list\n    ``(table, [(key, kind, child level), ...])``; the first is the session.\n\n"
"Returns\n-------\n"
"tuple or int\n    ``(columns, parents, counts, left, misfits, given)``, or the position of the first page\n"
"    that does not have this shape. ``given`` has, for each level, two 64-bit sets per row: the\n"
"    members that are given (bit 63: the object is there), and those given as null; rows at the\n"
"    end without an object are left out.\n");

static PyObject *
scan(PyObject *module, PyObject *args)
{
    PyObject *pages, *levels, *out = NULL;
    Scan s;
    memset(&s, 0, sizeof s);
    if (!PyArg_ParseTuple(args, "O!O!", &PyList_Type, &pages, &PyList_Type, &levels))
        return NULL;
    s.left = PyList_New(0);
    s.misfits = PyList_New(0);
    if (!s.left || !s.misfits || specify(&s, levels)) {
        if (!PyErr_Occurred())
            PyErr_NoMemory();
        goto done;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(pages); i++) {
        PyObject *one = PyList_GET_ITEM(pages, i);
        if (!PyBytes_Check(one)) {
            PyErr_SetString(PyExc_TypeError, "pages must be bytes");
            goto done;
        }
        if (page(&s, one)) {
            if (!PyErr_Occurred())
                out = PyLong_FromSsize_t(i);
            goto done;
        }
    }
    out = result(&s);
done:
    finish(&s);
    return out;
}

static PyMethodDef methods[] = {
    {"scan", scan, METH_VARARGS, scan_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_scan", "Decodes pages of sessions into columns.", -1, methods,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC
PyInit__scan(void)
{
    return PyModule_Create(&definition);
}
