#!/bin/sh
# what: cc1plus -O2 on a file that uses much of the standard library
set -eu
cd "$2"
CC1=$(g++ -print-prog-name=cc1plus 2>/dev/null) && [ -x "$CC1" ] || { echo "g++'s cc1plus" >&2; exit 77; }
case $1 in
prepare)
    cat >input.cc <<'CPP'
#include <algorithm>
#include <deque>
#include <functional>
#include <iostream>
#include <list>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>
template <int N> struct Shape {
    std::map<std::string, std::vector<std::tuple<int, double, std::string>>> table;
    std::unordered_map<int, std::shared_ptr<Shape<N>>> links;
    std::variant<int, std::string, std::vector<int>> value;
    std::function<int(int)> f = [](int x) { return x * N; };
    int run(int n) {
        std::set<std::string> names;
        std::deque<std::pair<int, std::string>> queue;
        for (int i = 0; i < n; i++) {
            std::ostringstream text;
            text << "item " << i << ' ' << f(i);
            names.insert(text.str());
            table[text.str()].emplace_back(i, i * 0.5, text.str());
            queue.emplace_back(i, text.str());
        }
        std::sort(queue.begin(), queue.end(), [](auto &a, auto &b) { return a.second < b.second; });
        links[n] = std::make_shared<Shape<N>>();
        value = std::vector<int>(names.size(), N);
        return std::accumulate(queue.begin(), queue.end(), 0, [](int s, auto &q) { return s + q.first; });
    }
};
int main() {
    int sum = 0;
    sum += Shape<1>().run(1) + Shape<2>().run(2);
    std::cout << sum << '\n';
}
CPP
    g++ -std=c++17 -E -P input.cc -o input.ii ;;
run) exec $MEASURE "$CC1" -quiet -std=c++17 -O2 input.ii -o /dev/null ;;
esac
