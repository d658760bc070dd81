# circles.awk CIRCLES INCLUDES - which files include each other in circles. INCLUDES has lines
# "unit unit", the first including the second; a unit is a header with its source: src/a/b.h and
# src/a/b.c are a/b. CIRCLES lists those that there are for a reason: "unit unit ...: reason".
# Prints a line for each circle that is not listed, or listed and gone.

function reach(from, at, i, n, next_units) { # mark what can be reached from `from`
    n = split(targets[at], next_units, " ")
    for (i = 1; i <= n; i++) {
        if ((from, next_units[i]) in reached) continue
        reached[from, next_units[i]] = 1
        reach(from, next_units[i])
    }
}

FILENAME == ARGV[1] {
    if (/^#/ || !NF) next
    if (split($0, halves, ": ") != 2) { print "FAIL circles: \"" $0 "\" gives no reason"; next }
    n = split(halves[1], listed, " ")
    for (i = 1; i <= n; i++) circle_of[listed[i]] = halves[1]
    is_listed[halves[1]] = 1
    next
}
$1 != $2 && !(($1, $2) in edges) {
    edges[$1, $2] = 1
    targets[$1] = targets[$1] " " $2
}
END {
    for (unit in targets) reach(unit, unit)
    for (unit in targets) {
        if (!((unit, unit) in reached) || unit in reported) continue
        members = ""
        for (other in targets)
            if (((unit, other) in reached) && ((other, unit) in reached)) {
                members = members " " other
                reported[other] = 1
            }
        n = split(members, names, " ")
        expected = circle_of[unit]
        is_known = expected != ""
        for (i = 1; i <= n; i++) is_known = is_known && circle_of[names[i]] == expected
        # A listed circle that has lost a member is listed wrongly.
        if (is_known && split(expected, wanted, " ") == n) { seen[expected] = 1; continue }
        print "FAIL circle of files:" members " (break it, or give tests/layers/circles.txt a reason)"
    }
    for (listed_circle in is_listed)
        if (!(listed_circle in seen)) print "FAIL circles: \"" listed_circle "\" is listed and is no circle"
}
