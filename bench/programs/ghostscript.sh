#!/bin/sh
# what: ghostscript drawing 150 pages of text, curves and dictionaries
set -eu
cd "$2"
command -v gs >/dev/null || { echo "ghostscript" >&2; exit 77; }
case $1 in
prepare)
    cat >work.ps <<'PS'
%!PS
/names [ /Helvetica /Times-Roman /Courier /Times-Italic ] def
1 1 150 {
  /page exch def
  0 1 35 {
    /line exch def
    names line 4 mod get findfont 8 line 7 mod add scalefont setfont
    40 760 line 20 mul sub moveto
    (Page ) show page 10 string cvs show (, line ) show line 10 string cvs show ( of a text that is set in several fonts.) show
  } for
  0 1 200 {
    /i exch def
    newpath i 3 mul 100 moveto i 200 add i 2 mul 300 i sub i 500 400 i add curveto i 200 div dup 1 exch sub 0.5 setrgbcolor stroke
  } for
  /d 500 dict def
  0 1 2000 { /k exch def d k 10 string cvs cvn 20 array put } for
  showpage
} for
PS
    ;;
run) exec $MEASURE gs -q -dNOPAUSE -dBATCH -dSAFER -sDEVICE=pdfwrite -o /dev/null work.ps ;;
esac
