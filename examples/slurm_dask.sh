#!/bin/bash
#SBATCH --job-name=fercli
#SBATCH --ntasks=16
#SBATCH --cpus-per-task=4
#SBATCH --mem-per-cpu=1G
#SBATCH --time=12:00:00
# Videos on workers of Dask in one job of Slurm; needs fercli[cluster].
#
#     sbatch examples/slurm_dask.sh VIDEOS annotations
#
# For a worker on each GPU, add: #SBATCH --gpus-per-task=1
set -u
videos=$1
output=$2
mkdir -p "$output" || exit
place=$output/scheduler-$SLURM_JOB_ID.json
export OMP_NUM_THREADS=$SLURM_CPUS_PER_TASK
trap 'kill $(jobs -p) 2>/dev/null; rm -f "$place"' EXIT

dask scheduler --scheduler-file "$place" --no-dashboard &
srun dask worker --scheduler-file "$place" --nworkers 1 --nthreads 1 --no-dashboard &
until [ -s "$place" ]; do
  sleep 1
done
address=$(sed -n 's/.*"address": "\([^"]*\)".*/\1/p' "$place" | head -n 1)
fercli annotate "$videos" --recursive -o "$output/" --cast "$output/series.cast" --scheduler "$address"
