# Our headers explain themselves in plain // comments. This makes them Doxygen's: what stands before #pragma once
# describes the file, other comments the declaration after them or before them on the line. Examples (indented, after an
# empty line) become code; in other text < and \ mean themselves.
function escaped(text, parts, n, i, result) {
  n = split(text, parts, "`")
  for (i = 1; i <= n; ++i) {
    if (i % 2) gsub(/[\\@<>#$%&]/, "\\\\&", parts[i])  # not inside `code`
    result = result (i > 1 ? "`" : "") parts[i]
  }
  return result
}

NR == 1 { print "/// \\file" }

{
  at = match($0, /\/\/( |$)/)
  if (!at || /^}/) {
    code = blank = 0
    print
    next
  }
  before = substr($0, 1, at - 1)
  text = substr($0, at + 2)
  if (before !~ /^ *$/) {
    print before "///<" escaped(text)
    next
  }
  code = text ~ /^   / && (code || blank)
  blank = text ~ /^ *$/
  print before "///" (code ? "    " text : escaped(text))
}
