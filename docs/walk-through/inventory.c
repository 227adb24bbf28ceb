/* Keeps an inventory from a stream of orders. Two things are wrong with it: find them with docs/walk-through.md. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHELVES 4096

struct item {
    struct item *next;
    char *name;
    long count;
};

static struct item *shelves[SHELVES];
static char *last_order;

static unsigned shelf_of(const char *name) {
    unsigned hash = 5381;
    while (*name) hash = hash * 33 + (unsigned char)*name++;
    return hash % SHELVES;
}

static char *lower_case(const char *text) {
    char *copy = strdup(text);
    for (char *c = copy; *c; c++) if (*c >= 'A' && *c <= 'Z') *c += 'a' - 'A';
    return copy;
}

static struct item *find(const char *name) {
    unsigned shelf = shelf_of(name);
    for (struct item *item = shelves[shelf]; item; item = item->next) {
        char *key = lower_case(item->name);
        int same = strcmp(key, name) == 0;
        free(key);
        if (same) return item;
    }
    struct item *item = calloc(1, sizeof *item);
    item->name = strdup(name);
    item->next = shelves[shelf];
    return shelves[shelf] = item;
}

static void remember_order(const char *line) {
    last_order = malloc(strlen(line) + 64);
    strcpy(last_order, line);
}

static char *monthly_report(int month) {
    char *report = malloc(SHELVES * 400), *end = report;
    for (int i = 0; i < SHELVES; i++)
        for (struct item *item = shelves[i]; item && end - report < SHELVES * 390; item = item->next)
            end += sprintf(end, "%d %s %ld\n", month, item->name, item->count);
    return report;
}

int main(void) {
    char line[100];
    for (int month = 1; month <= 12; month++) {
        for (int n = 0; n < 20000; n++) {
            snprintf(line, sizeof line, "part%d", n * 7919 % 6000);
            find(line)->count += n;
            if (n % 10 == 0) remember_order(line);
        }
        char *report = monthly_report(month);
        printf("month %d: %zu bytes\n", month, strlen(report));
        free(report);
    }
    return 0;
}
