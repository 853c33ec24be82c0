// Adds to each time how far away it is, and its local reading; the pages are complete without it.
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });

function distance(moment) {
  const seconds = Math.round((moment - Date.now()) / 1000);
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? UNITS.at(-1);
  return relative.format(Math.trunc(seconds / size), unit);
}

function refresh() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    time.title = `${moment.toLocaleString("en-GB", { dateStyle: "full", timeStyle: "long" })} (your time)`;
    const note = time.querySelector(".ago") ?? time.appendChild(document.createElement("small"));
    note.className = "ago";
    note.textContent = ` ${distance(moment)}`;
  }
}

refresh();
setInterval(refresh, 10000);
