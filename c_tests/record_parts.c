/* what: a record without a profile: the dump's object, a time line of at most 512 samples in order, and the main chain, whose
 *       segments fill each region; every line is JSON of its kind, and the last one counts them.
 * plain: no
 */
#include "record.h"

static long long timeline[600][4];

int main(int argc, char **argv) {
    (void)argv;
    if (argc > 1) {
        static void *kept[3000];
        for (int round = 0; round < 300; round++) {
            for (int i = 0; i < 3000; i++) {
                free(kept[i]);
            }
            for (int i = 0; i < 3000; i++) {
                CHECK((kept[i] = calloc(1, unknown(700 + (size_t)(i % 4) * 300))) != NULL);
            }
            usleep(3000);
        }
        CHECK(malloc(1 << 20) != NULL);
        return 0;
    }
    static struct record record;
    run_recorded(&record, "child", "off");
    CHECK(record.site_count == 0 && record.node_count == 0 && record.module_count == 0);
    CHECK(strstr(record.text, "\"mode\":\"off\"") != NULL);
    const char *line = strstr(record.text, "{\"schema\":\"mems-timeline/1\"");
    CHECK(line != NULL);
    size_t count = record_rows(line, timeline[0], 4, 600);
    CHECK(count >= 100 && count <= 512 && field(line, "", "step_ns") >= 1000000);
    for (size_t i = 1; i < count; i++) {
        CHECK(timeline[i][0] > timeline[i - 1][0] && timeline[i][3] >= timeline[i - 1][3]);
        CHECK(timeline[i][2] >= timeline[i][1]);
    }
    CHECK(timeline[count - 1][3] == field(record.text, "\"blocks\":{\"asked\"", "asked"));
    CHECK(timeline[count - 1][1] == field(record.text, "\"bytes\"", "live_usable"));
    int regions = 0;
    for (line = record.text; (line = strstr(line, "{\"schema\":\"mems-chain/1\"")) != NULL; line++) {
        long long bytes = field(line, "", "bytes"), sum = 0;
        const char *end = strchr(line, '\n'), *at = strstr(line, "\"segments\":[");
        CHECK(at != NULL && at < end && strstr(line, "\"more\":false") < end);
        for (at += 11; at < end && (*at == '[' || *at == ','); at = strchr(at, ']') + 1) {
            at += 1 + (*at == ',');
            while (*at != '"') {
                at++;
            }
            CHECK((at[1] == 'P' || at[1] == 'H') && at[2] == '"' && at[3] == ',');
            sum += strtoll(at + 4, NULL, 10);
        }
        CHECK(sum == bytes);
        regions++;
    }
    CHECK(regions == field(record.text, "\"engine\"", "regions"));
    return 0;
}
