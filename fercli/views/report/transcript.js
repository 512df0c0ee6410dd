// What is said: it follows the moment that is played or pointed at, and can be searched.
const transcript = (() => {
  const list = document.getElementById("said");
  if (!list) return null;
  const rows = [...list.children],
    starts = rows.map((row) => Number(row.dataset.start)),
    ends = rows.map((row) => Number(row.dataset.end));
  const search = document.getElementById("said-search"),
    count = document.getElementById("said-count");
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const texts = rows.map((row) => plain(row.textContent));
  let current = [];

  // Only the list itself moves, and only where it is not being read.
  function show(row) {
    if (list.matches(":hover") || list.contains(document.activeElement)) return;
    const above = row.offsetTop - list.offsetTop,
      below = above + row.offsetHeight;
    if (above < list.scrollTop) list.scrollTop = above;
    else if (below > list.scrollTop + list.clientHeight) list.scrollTop = below - list.clientHeight;
  }

  function follow() {
    const time = state.time;
    const now = time === null ? [] : rows.filter((_, k) => starts[k] <= time && time < ends[k]);
    for (const row of current) if (!now.includes(row)) row.removeAttribute("aria-current");
    for (const row of now) row.setAttribute("aria-current", "true");
    if (now.length && now[0] !== current[0]) show(now[0]);
    current = now;
  }

  function filter() {
    const wanted = plain(search.value).split(/\s+/).filter(Boolean);
    let found = 0;
    rows.forEach((row, k) => {
      row.hidden = !wanted.every((word) => texts[k].includes(word));
      found += !row.hidden;
    });
    count.textContent = wanted.length ? `${found} of ${rows.length}` : "";
  }

  list.addEventListener("click", (event) => {
    const row = event.target.closest("li");
    if (!row || !getSelection().isCollapsed) return;
    const time = Number(row.dataset.start);
    if (time < state.from || time > state.to) {
      const length = state.to - state.from;
      showPart(time - length / 2, time + length / 2);
    }
    if (persons.length) moveTo(row.dataset.person ? Number(row.dataset.person) : state.person, time);
    player.play(time);
  });
  search.addEventListener("input", filter);
  listeners.moment.push(follow);
  return { follow };
})();
