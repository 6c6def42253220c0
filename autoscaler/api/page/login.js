// Tells why the last try failed, and where to go after a good one.

const query = new URLSearchParams(location.search);

const WHY = {
  refused: "This token is not known, or has expired. Make a new one.",
  "too-long": "This token is too long for a browser's cookie. Use it in the Authorization header instead.",
  unavailable: "Nobody can be asked at present whose token this is. Try again in a moment.",
};

const told = document.getElementById("refused");
const why = query.get("error");
told.textContent = why ? (WHY[why] ?? WHY.refused) : "";
told.hidden = !why;
document.getElementById("next").value = query.get("next") ?? "/";
