"use strict";

// Ask the API; an answer that is not a success becomes an error with the API's own words.
async function ask(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const reply = await answer.json();
  if (!answer.ok) throw new Error(reply.error);
  return reply;
}

// The household that a page's address describes.
function household() {
  const given = new URLSearchParams(location.search);
  return {
    zip: given.get("zip") || "84094",
    income: Number(given.get("income") || 65000),
    household: (given.get("ages") || "35,30").split(",").map((age) => ({ age: Number(age) })),
    year: Number(given.get("year") || 2026),
  };
}

function cell(row, text, kind) {
  const made = row.insertCell();
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function problem(error) {
  document.getElementById("problem").textContent = `Something went wrong: ${error.message}`;
}
