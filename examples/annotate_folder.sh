#!/bin/sh
# All videos of a folder: annotations, tables and one page for the series.
#
#     examples/annotate_folder.sh VIDEOS [OUTPUT]
#
# Run it again to continue: finished videos are not run again, failed ones are. It ends with 6 if a video failed.
set -u
videos=$1
output=${2:-annotations}
mkdir -p "$output" || exit

# All commands end with 6 if a video has no result; the others are written. Other codes are errors.
or_stop() {
  code=$?
  [ "$code" -eq 0 ] || [ "$code" -eq 6 ] || exit "$code"
}

# With a cast, a person has the same name in all videos.
fercli annotate "$videos" --recursive -o "$output/" --format json,eaf --cast "$output/series.cast"
or_stop
annotated=$code
fercli collect "$output" -o "$output/tables/" --overwrite --quiet
or_stop
fercli report "$output" -o "$output/series.html" --videos --overwrite --quiet
or_stop
exit "$annotated"
