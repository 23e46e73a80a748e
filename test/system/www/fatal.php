<?php
// PHP answers 500 itself when nothing was sent yet.
undefined_function();
