#!/usr/bin/env bash
# Makes everything of this study anew but what is written by hand (june.yml, the tests and the incidents).
# In the project's folder: rules/birthday-scheduler/study/make.sh [RULECHECK]; with Chromium on the PATH the picture in
# docs/ is taken, too.
set -euo pipefail
cd "$(dirname "$0")/../../.."
rulecheck=$(command -v "${1:-rulecheck}")
system=rules/birthday-scheduler
study=$system/study
work=target/study
rm -rf "$work" && mkdir -p "$work"

# The generated month as a recording. 2026-06-01T00:00:00Z is 1780272000.
"$rulecheck" test "$study/june_test.yml" --run 'as the plan' --export-promtool "$work" > /dev/null
python3 "$study/csv_of_test.py" "$(find "$work" -name june_test.yml)" 1780272000 60 | gzip -9n > "$study/api.csv.gz"

# Every setting of a grid, judged by the incidents.
"$rulecheck" whatif --rules $system/alerts.yml --data $study/api.csv.gz --incidents $study/incidents.yml \
  --sweep ElevatedErrorRate.threshold=1..6:0.5 ElevatedErrorRate.for=5m,8m,10m,12m,15m,20m \
  ElevatedErrorRate.keep_firing_for=0s,10m,20m,30m,1h \
  --goal recall=1 --goal false_pages=0 --goal 'pages_per_week<3' --goal 'time_to_detect<30m' > $study/sweep.txt

# What the recommended one would have changed.
setting=(ElevatedErrorRate.threshold=2 ElevatedErrorRate.for=12m ElevatedErrorRate.keep_firing_for=10m)
cp $system/alerts.yml "$work/alerts.yml"
"$rulecheck" whatif --rules "$work/alerts.yml" --set "${setting[@]}" --write > /dev/null
# The same setting in ten other months.
"$rulecheck" whatif --rules $system/alerts.yml --tests $study/other_junes_test.yml --incidents $study/incidents.yml \
  --sweep ElevatedErrorRate.threshold=2 ElevatedErrorRate.for=12m ElevatedErrorRate.keep_firing_for=10m > $study/other_junes.txt

# The same for the queue and for slow answers, from generated data at once.
"$rulecheck" whatif --rules $system/alerts.yml --tests $study/backlog_test.yml --incidents $study/backlog_incidents.yml \
  --sweep QueueDepthHigh.threshold=500..1500:100 QueueDepthHigh.for=10m,20m,30m,40m HighResponseTime.for=5m,10m,15m \
  --goal recall=1 --goal false_pages=0 --goal 'time_to_detect<35m' > $study/backlog_sweep.txt

# The change as a reviewer sees it.
compare() {
  "$rulecheck" diff $system/alerts.yml "$work/alerts.yml" --data $study/api.csv.gz --max-pages-per-week 3 --format "$1"
}
compare text > $study/diff.txt
compare markdown > $study/diff.md

# The page, and its picture.
mapfile -t page < $study/page.args
(cd $system && "$rulecheck" whatif "${page[@]}" --format html) > $study/page.html
if command -v chromium > /dev/null; then
  mkdir -p docs
  chromium --headless --no-sandbox --hide-scrollbars --window-size=1280,1045 --virtual-time-budget=3000 \
    --screenshot=docs/what-if.png "file://$PWD/$study/page.html" 2> /dev/null
fi
