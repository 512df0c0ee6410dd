#!/bin/bash
#SBATCH --job-name=fercli
#SBATCH --cpus-per-task=4
#SBATCH --mem=4G
#SBATCH --time=04:00:00
# A list of videos on Slurm: one job a video, then one job for the persons of the whole series.
#
#     ls /films/season1/*.mp4 > videos.txt
#     examples/slurm_array.sh videos.txt annotations
#
# The videos must have different names. Jobs at once: fercli_at_once=64 examples/slurm_array.sh ...
set -u
list=$1
output=$2
export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-4}

if [ -n "${SLURM_ARRAY_TASK_ID:-}" ]; then # a job of the array: one video
  video=$(sed -n "${SLURM_ARRAY_TASK_ID}p" "$list")
  exec fercli annotate "$video" -o "$output/" --quiet
elif [ -n "${SLURM_JOB_ID:-}" ]; then # the last job: only the stage of the persons is left to run
  fercli annotate "$list" -o "$output/" --cast "$output/series.cast"
  annotated=$?
  fercli collect "$output" -o "$output/tables/" --overwrite --quiet
  fercli report "$output" -o "$output/series.html" --overwrite --quiet
  exit "$annotated"
fi
mkdir -p "$output" || exit
count=$(grep -c "" "$list")
array=$(sbatch --parsable --array="1-$count%${fercli_at_once:-32}" "$0" "$list" "$output") || exit
sbatch --dependency="afterany:${array%%;*}" "$0" "$list" "$output"
