// Times and sizes as text, and searching in ascending lists. Times are milliseconds.

export function clock(time, digits = 1) {
  const unit = 10 ** (3 - digits);
  const total = Math.round(Math.abs(time) / unit) * unit;
  const hours = Math.floor(total / 3600000);
  const minutes = Math.floor(total / 60000) % 60;
  const seconds = ((total % 60000) / 1000).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
  const sign = time < 0 && total ? "-" : "";
  return `${sign}${hours ? `${hours}:${String(minutes).padStart(2, "0")}` : minutes}:${seconds}`;
}

export function bytes(count) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  const place = count < 1000 ? 0 : Math.min(Math.floor(Math.log10(count) / 3), units.length - 1);
  return `${(count / 1000 ** place).toFixed(place && count / 1000 ** place < 10 ? 1 : 0)} ${units[place]}`;
}

export const about = (seconds) => (seconds < 90 ? `${Math.max(1, Math.round(seconds))} s` : seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`);

// A share of -1 to 1 that is given in percent.
export const signed = (percent) => `${percent < 0 ? "\u2212" : "+"}${(Math.abs(percent) / 100).toFixed(2)}`;

// Number of entries of an ascending list that are not above a value.
export function upTo(values, value) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function summed(steps) {
  let sum = 0;
  return steps.map((step) => (sum += step));
}
